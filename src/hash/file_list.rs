//! The files of a document: path and what it holds, sorted by path. There may be a hundred
//! thousand, so that they are kept in one text. Pure.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Escaped paths, each with its mode and blob id; no path is there twice.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct FileList {
    text: String,
    /// Where the paths and the values end in the text, one after the other.
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    start: usize,
    path_end: usize,
    end: usize,
}

impl FileList {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All files, with what they hold.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows.iter().map(|row| self.at(row))
    }

    fn at(&self, row: &Row) -> (&str, &str) {
        (&self.text[row.start..row.path_end], &self.text[row.path_end..row.end])
    }

    fn push(&mut self, path: &str, value: &str) {
        self.push_with(path, |text| text.push_str(value));
    }

    /// Adds a file; `write` adds its value to a text.
    pub(super) fn push_with(&mut self, path: &str, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        self.text.push_str(path);
        let path_end = self.text.len();
        write(&mut self.text);
        self.rows.push(Row { start, path_end, end: self.text.len() });
    }

    /// With all in order; of a path that is there twice, the last one stays.
    pub(super) fn sorted(self) -> Self {
        let is_sorted = |list: &Self| list.iter().is_sorted_by(|(one, _), (two, _)| one < two);
        if is_sorted(&self) {
            return self;
        }
        let mut rows = self.rows.clone();
        rows.sort_by(|one, two| self.at(one).0.cmp(self.at(two).0));
        let mut sorted = Self::default();
        for (number, row) in rows.iter().enumerate() {
            let (path, value) = self.at(row);
            if rows.get(number + 1).is_none_or(|next| self.at(next).0 != path) {
                sorted.push(path, value);
            }
        }
        sorted
    }
}

impl<P: AsRef<str>, V: AsRef<str>> FromIterator<(P, V)> for FileList {
    fn from_iter<I: IntoIterator<Item = (P, V)>>(files: I) -> Self {
        let mut list = Self::default();
        for (path, value) in files {
            list.push(path.as_ref(), value.as_ref());
        }
        list.sorted()
    }
}

impl fmt::Debug for FileList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for FileList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for FileList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = FileList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FileList, A::Error> {
        let mut list = FileList::default();
        let mut path = Part::default();
        let mut value = Part::default();
        while map.next_key_seed(&mut path)?.is_some() {
            map.next_value_seed(&mut value)?;
            list.push(&path.0, &value.0);
        }
        Ok(list.sorted())
    }
}

/// A text that the next one takes the place of.
#[derive(Default)]
struct Part(String);

impl<'de> serde::de::DeserializeSeed<'de> for &mut Part {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for &mut Part {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.clear();
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::FileList;

    proptest! {
        #[test]
        fn it_is_as_a_map(files in prop::collection::vec(("[a-c\\\\\"é]{0,3}", ".{0,3}"), 0..9)) {
            let map: BTreeMap<String, String> = files.iter().cloned().collect();
            let list: FileList = files.into_iter().collect();
            prop_assert_eq!((list.len(), list.is_empty()), (map.len(), map.is_empty()));
            prop_assert!(list.iter().eq(map.iter().map(|(path, value)| (&**path, &**value))));
            let json = serde_json::to_string(&map).unwrap();
            prop_assert_eq!(serde_json::to_string(&list).unwrap(), json.clone());
            prop_assert_eq!(serde_json::from_str::<FileList>(&json).unwrap(), list);
        }
    }

    #[test]
    fn what_is_no_map_of_texts_is_an_error() {
        for json in ["[]", "{\"a\":1}", "{\"a\":null}", "\"a\"", "{\"a\"", "null"] {
            assert!(serde_json::from_str::<FileList>(json).is_err(), "{json}");
        }
    }
}
