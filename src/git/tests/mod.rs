//! Tests on real repositories.
