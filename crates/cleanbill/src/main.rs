//! The `cleanbill` program: parse, run one command, say how it went. See `cleanbill::cli` for
//! the commands and `cleanbill::exit` for what the exit code means.

use std::process::ExitCode;

use cleanbill::{cli, exit::Exit, failure};

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
