//! The snapshot that is part of the program.
