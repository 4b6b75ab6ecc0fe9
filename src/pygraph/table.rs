//! What each content imports, by blob id, with every name once; as it is kept between runs. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::codec::{Reader, Writer};
use super::kept::{seal, unseal};
use super::names::Names;
use super::scan::{Broken, Scan};
use crate::git::BlobId;

/// What the file begins with. Another parser, format or meaning needs another one.
pub(super) const MAGIC: &[u8] = b"qik imports 2, ruff 0.0.10\n";

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

    /// As it is kept, with what is current alone: contents that nobody has any more would pile up.
    pub(super) fn encode(&self, current: &BTreeSet<BlobId>) -> Vec<u8> {
        let mut writer = Writer(MAGIC.to_vec());
        writer.count(self.names.len());
        self.names.iter().for_each(|name| writer.text(name));
        let known = |id: &BlobId| Some((*id, self.records.get(id)?));
        let records: Vec<_> = current.iter().filter_map(known).collect();
        writer.count(records.len());
        for (id, record) in records {
            writer.bytes(id.as_bytes());
            record.write(&mut writer);
        }
        seal(writer.0)
    }

    /// What was kept; `None` if it is damaged, or of another version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let reader = &mut Reader(unseal(bytes, MAGIC)?);
        let mut table = Self::default();
        for name in reader.list(Reader::text)? {
            table.names.intern(name);
        }
        let name_count = u32::try_from(table.names.len()).ok()?;
        let records = reader.list(|reader| {
            let id = BlobId::from_bytes(reader.bytes()?)?;
            Some((id, Arc::new(Record::read(reader, name_count)?)))
        })?;
        table.records.extend(records);
        Some(table)
    }
}

impl Record {
    fn write(&self, writer: &mut Writer) {
        writer.count(self.imports.len());
        for import in &self.imports {
            let flags = u32::from(import.is_type_checking) | u32::from(import.is_optional) << 1;
            let name = import.name.map_or(0, |name| name + 1);
            let level = import.level << 2 | flags;
            writer.numbers(&[level, import.module, name, import.line, import.column]);
        }
        writer.count(usize::from(self.error.is_some()));
        if let Some(error) = &self.error {
            writer.numbers(&[error.line, error.column]);
            writer.text(&error.message);
        }
    }

    fn read(reader: &mut Reader<'_>, name_count: u32) -> Option<Self> {
        let known = |name: u32| (name < name_count).then_some(name);
        let imports = reader.list(|reader| {
            let [level, module, name, line, column] = reader.numbers()?;
            Some(Import {
                level: level >> 2,
                module: known(module)?,
                name: match name {
                    0 => None,
                    name => Some(known(name - 1)?),
                },
                line,
                column,
                is_type_checking: level & 1 != 0,
                is_optional: level & 2 != 0,
            })
        })?;
        let errors = reader.list(|reader| {
            let [line, column] = reader.numbers()?;
            Some(Broken { line, column, message: reader.text()?.to_owned() })
        })?;
        Some(Self { imports, error: errors.into_iter().next() })
    }
}
