//! The bounds on an expression and on what it may build. They are constants and not options: a
//! policy that needs more should say it in several rules.

/// The longest source, in bytes.
pub const SOURCE_BYTES: usize = 16 * 1024;

/// How deep brackets, calls and conditionals may be nested in the source.
pub const NESTING: usize = 32;

/// How deep the tree of an expression may be (a chain `a + b + c` is a deep tree, too).
pub const DEPTH: usize = 64;

/// The most parts of an expression.
pub const NODES: usize = 4096;

/// The most mistakes that are told at once.
pub const MISTAKES: usize = 50;

/// The longest string or bytes that an expression may build, in bytes.
pub const STRING_BYTES: usize = 1024 * 1024;

/// The longest list that an expression may build.
pub const LIST_ITEMS: usize = 64 * 1024;

/// How deep two values are compared; deeper ones are an error, not equal or different.
pub const VALUE_DEPTH: usize = 32;

/// The most memory that a compiled regular expression written in the source may take, in bytes.
pub const PATTERN_BYTES: usize = 1024 * 1024;

/// The same for a regular expression that is put together at run time.
pub const DYNAMIC_PATTERN_BYTES: usize = 128 * 1024;

/// The longest regular expression, in bytes of its source.
pub const PATTERN_SOURCE_BYTES: usize = 2048;

/// How deep groups in a regular expression may be nested.
pub const PATTERN_NESTING: u32 = 64;
