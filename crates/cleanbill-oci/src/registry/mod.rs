//! The registry source.
