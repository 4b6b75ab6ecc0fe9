//! The files that a command made, as values. Pure.

use std::collections::BTreeMap;

use super::Content;
use crate::paths::{ProjectPath, escape, unescape};

/// All that a command made, of what it declares to make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Sorted by path; no path twice.
    pub artifacts: Vec<Artifact>,
    /// The patterns that matched nothing.
    pub unmatched: Vec<String>,
}

/// One thing that a command made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub path: ProjectPath,
    pub kind: ArtifactKind,
}

/// What an artifact is. Folders are listed only if they are empty or not open to everybody: others
/// come with what is in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactKind {
    File {
        /// The nine permission bits.
        mode: u32,
        content: Content,
    },
    Symlink {
        target: Vec<u8>,
    },
    Folder {
        /// The nine permission bits of one that not everybody may look into; `None` of any other,
        /// which has what the umask leaves.
        mode: Option<u32>,
    },
}

/// What of its permission bits is kept of a folder.
pub(super) fn folder_mode(mode: u32) -> Option<u32> {
    (mode & OPEN_FOLDER != OPEN_FOLDER).then_some(mode)
}

/// Everybody may look into it, and its owner may write.
const OPEN_FOLDER: u32 = 0o755;

impl Manifest {
    /// Path → what it is, for the fingerprints of downstreams.
    ///
    /// Of the mode it holds what git does, so that people with different umasks agree, and so no
    /// folder for the sake of its mode.
    pub fn to_list(&self) -> BTreeMap<String, String> {
        let text = |kind: &ArtifactKind| match kind {
            ArtifactKind::File { mode, content } => {
                format!("file {:04o} {}", portable_mode(*mode), content.digest)
            }
            ArtifactKind::Symlink { target } => format!("link {}", escape(target)),
            ArtifactKind::Folder { .. } => "folder".to_owned(),
        };
        let pair = |artifact: &Artifact| (artifact.path.escaped().into(), text(&artifact.kind));
        self.without_full_folders().map(pair).collect()
    }

    /// Path → what it is, for an entry: [`Manifest::from_stored`] takes it back.
    pub(super) fn to_stored(&self) -> BTreeMap<String, String> {
        let pair = |artifact: &Artifact| (artifact.path.escaped().into(), artifact.kind.to_text());
        self.artifacts.iter().map(pair).collect()
    }

    /// The manifest of an entry; fails with the path whose text is malformed.
    pub(super) fn from_stored(stored: &BTreeMap<String, String>) -> Result<Self, String> {
        let artifact = |(path, text): (&String, &String)| {
            let parsed = ProjectPath::unescape(path).zip(ArtifactKind::parse(text));
            parsed.map(|(path, kind)| Artifact { path, kind }).ok_or_else(|| path.clone())
        };
        let mut artifacts = stored.iter().map(artifact).collect::<Result<Vec<_>, _>>()?;
        artifacts.sort_by(|one, two| one.path.cmp(&two.path));
        // Two texts can stand for one path only if they were not written by us.
        if let Some(pair) = artifacts.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(pair[0].path.escaped().into_owned());
        }
        Ok(Self { artifacts, unmatched: Vec::new() })
    }

    /// All but the folders that hold something.
    fn without_full_folders(&self) -> impl Iterator<Item = &Artifact> {
        self.artifacts.iter().enumerate().filter_map(|(position, artifact)| {
            let path = artifact.path.as_bytes();
            let is_near = |other: &Artifact| other.path.as_bytes().starts_with(path);
            let is_below = |other: &Artifact| other.path.as_bytes().get(path.len()) == Some(&b'/');
            // What only begins as the path does, as `a-b` does as `a`, may stand before `a/b`.
            let mut near = self.artifacts[position + 1..].iter().take_while(|it| is_near(it));
            let is_full =
                matches!(artifact.kind, ArtifactKind::Folder { .. }) && near.any(is_below);
            (!is_full).then_some(artifact)
        })
    }

    /// The files, with their content.
    pub fn contents(&self) -> impl Iterator<Item = (&ProjectPath, Content)> {
        self.artifacts.iter().filter_map(|artifact| match artifact.kind {
            ArtifactKind::File { content, .. } => Some((&artifact.path, content)),
            ArtifactKind::Symlink { .. } | ArtifactKind::Folder { .. } => None,
        })
    }

    /// The same with the modes that git keeps.
    pub(super) fn with_portable_modes(&self) -> Self {
        let mut artifacts: Vec<Artifact> = self.without_full_folders().cloned().collect();
        for artifact in &mut artifacts {
            match &mut artifact.kind {
                ArtifactKind::File { mode, .. } => *mode = portable_mode(*mode),
                ArtifactKind::Folder { mode } => *mode = None,
                ArtifactKind::Symlink { .. } => {}
            }
        }
        Self { artifacts, unmatched: self.unmatched.clone() }
    }
}

/// The mode that git would give a file: whether its owner may run it.
pub(super) fn portable_mode(mode: u32) -> u32 {
    if mode & 0o100 == 0 { 0o644 } else { 0o755 }
}

impl ArtifactKind {
    fn to_text(&self) -> String {
        match self {
            Self::File { mode, content } => {
                format!("file {mode:04o} {} {}", content.size, content.digest)
            }
            Self::Symlink { target } => format!("link {}", escape(target)),
            Self::Folder { mode: None } => "folder".to_owned(),
            Self::Folder { mode: Some(mode) } => format!("folder {mode:04o}"),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        // Whoever sends more than permissions gets no more than permissions.
        let permissions = |word: &str| {
            let mode = u32::from_str_radix(word, 8).ok().filter(|_| is_number(word))?;
            Some(mode & 0o777)
        };
        if text == "folder" {
            return Some(Self::Folder { mode: None });
        }
        if let Some(mode) = text.strip_prefix("folder ") {
            return Some(Self::Folder { mode: Some(permissions(mode)?) });
        }
        if let Some(target) = text.strip_prefix("link ") {
            return Some(Self::Symlink { target: unescape(target)? });
        }
        let mut words = text.strip_prefix("file ")?.split(' ');
        let (mode, size, digest) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !is_number(size) {
            return None;
        }
        let mode = permissions(mode)?;
        let content = Content { size: size.parse().ok()?, digest: digest.parse().ok()? };
        Some(Self::File { mode, content })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kind() -> impl Strategy<Value = ArtifactKind> {
        prop_oneof![
            (0..=0o777_u32, any::<u64>(), any::<Vec<u8>>()).prop_map(|(mode, size, bytes)| {
                let content = Content { size, ..Content::of(&bytes) };
                ArtifactKind::File { mode, content }
            }),
            any::<Vec<u8>>().prop_map(|target| ArtifactKind::Symlink { target }),
            proptest::option::of(0..=0o777_u32).prop_map(|mode| ArtifactKind::Folder { mode }),
        ]
    }

    proptest! {
        #[test]
        fn a_manifest_survives_being_stored(
            kinds in proptest::collection::btree_map(any::<Vec<u8>>(), kind(), 0..8)
        ) {
            let artifact = |(path, kind)| Artifact { path: ProjectPath::from_bytes(path), kind };
            let artifacts = kinds.into_iter().map(artifact).collect();
            let manifest = Manifest { artifacts, unmatched: Vec::new() };
            prop_assert_eq!(Manifest::from_stored(&manifest.to_stored()), Ok(manifest));
        }
    }

    #[track_caller]
    fn check_malformed(text: &str) {
        assert_eq!(ArtifactKind::parse(text), None, "{text}");
    }

    #[test]
    fn a_malformed_artifact_is_none() {
        let digest = Content::of(b"").digest;
        for text in [
            "",
            "file",
            "folder ",
            "folder x",
            "folder +700",
            "dir",
            "link",
            "hardlink x",
            "link \\q",
        ] {
            check_malformed(text);
        }
        check_malformed(&format!("file 0644 {digest}"));
        check_malformed(&format!("file 0644 +5 {digest}"));
        check_malformed(&format!("file 0644 99999999999999999999 {digest}"));
        check_malformed(&format!("file 0648 5 {digest}"));
        check_malformed(&format!("file 0644 5 {digest} x"));
        check_malformed("file 0644 5 abc");
    }

    #[test]
    fn only_permission_bits_are_taken() {
        let content = Content::of(b"");
        let text = format!("file 7755 0 {}", content.digest);
        assert_eq!(ArtifactKind::parse(&text), Some(ArtifactKind::File { mode: 0o755, content }));
    }

    #[test]
    fn downstreams_do_not_see_the_umask() {
        let list = |mode| {
            let kind = ArtifactKind::File { mode, content: Content::of(b"x") };
            let artifacts = vec![Artifact { path: ProjectPath::from_bytes(*b"a"), kind }];
            Manifest { artifacts, unmatched: Vec::new() }.to_list()
        };
        assert_eq!(list(0o644), list(0o664));
        assert_ne!(list(0o644), list(0o755));
    }

    #[test]
    fn a_folder_is_listed_for_its_mode_here_alone() {
        let artifact = |path: &str, kind| {
            let path = ProjectPath::from_bytes(path.as_bytes());
            Artifact { path, kind }
        };
        let file = ArtifactKind::File { mode: 0o644, content: Content::of(b"x") };
        let folder = ArtifactKind::Folder { mode: Some(0o700) };
        let artifacts = vec![
            artifact("full", folder.clone()),
            artifact("full-not", folder),
            artifact("full/x", file),
        ];
        let manifest = Manifest { artifacts, unmatched: Vec::new() };
        assert_eq!(manifest.to_list().into_keys().collect::<Vec<_>>(), ["full-not", "full/x"]);
        let portable = manifest.with_portable_modes();
        assert_eq!(portable.artifacts[0].kind, ArtifactKind::Folder { mode: None });
        assert_eq!(portable.artifacts.len(), 2);
    }
}
