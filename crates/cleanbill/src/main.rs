//! The `cleanbill` program: parse, run one command, say how it went. See `cleanbill::cli` for
//! the commands and `cleanbill::exit` for what the exit code means.

use std::process::ExitCode;

use cleanbill::{cli, exit::Exit, failure};

/// Under load every fifth microsecond of the gate went into the system's allocator, and more into
/// musl's, with which the static program is built.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(cli::Stop::Help(text)) => return failure::print_help(&text).code(),
        Err(cli::Stop::Usage(failure)) => return failure::report(&failure).code(),
    };
    let exit: Exit = match command.run() {
        Ok(exit) => exit,
        Err(failure) => failure::report(&failure),
    };
    exit.code()
}
