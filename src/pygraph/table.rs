//! What each content imports, by blob id, with every name once. Pure.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::names::Names;
use super::scan::{Broken, Scan};
use crate::git::BlobId;

/// The imports of contents.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) names: Names,
    pub(super) records: FxHashMap<BlobId, Arc<Record>>,
}

/// What one content imports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) imports: Vec<Import>,
    pub(super) error: Option<Broken>,
}

/// An import; its names are numbers of [`Names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) level: u32,
    pub(super) module: u32,
    pub(super) name: Option<u32>,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) is_type_checking: bool,
    pub(super) is_optional: bool,
}

impl Table {
    /// What a scan gave, with its names as numbers.
    pub(super) fn record(&mut self, scan: Scan) -> Arc<Record> {
        let mut imports = Vec::with_capacity(scan.imports.len());
        for import in &scan.imports {
            imports.push(Import {
                level: import.level,
                module: self.names.intern(&import.module),
                name: import.name.as_deref().map(|name| self.names.intern(name)),
                line: import.line,
                column: import.column,
                is_type_checking: import.is_type_checking,
                is_optional: import.is_optional,
            });
        }
        Arc::new(Record { imports, error: scan.error })
    }
}
