//! How layers bring databases.
