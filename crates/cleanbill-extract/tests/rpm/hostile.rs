//! Databases that are damaged, by chance or on purpose.
