//! The merged root filesystem.
