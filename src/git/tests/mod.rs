//! Tests on real repositories, mostly against git itself: what would it say, what would it add.

mod agreement;
mod alone;
mod contents;
mod discovery;
mod indexes;
mod merging;
mod patterns;
mod sandbox;
mod since;
mod staging;
mod states;
mod submodules;
