//! Why a module needs another: the shortest way of imports from one to the other. Pure.

use std::collections::VecDeque;

use super::graph::{Edge, EdgeKind, Graph, ModuleId, NONE};

/// One import on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub importer: String,
    pub imported: String,
    /// Where it stands: a file by position, and a line; `None` if the importer is a package that
    /// holds, or is held by, the imported one.
    pub place: Option<(u32, u32)>,
}

/// How a module was reached.
#[derive(Debug, Clone, Copy)]
struct Came {
    from: u32,
    place: Option<(u32, u32)>,
}

impl Graph {
    /// The shortest way from a module, or from one below it, to another or one below that; to a
    /// top-level name that is not ours, if `to` is none of our modules. `None` if there is none.
    pub fn route(&self, from: ModuleId, to: &str) -> Option<Vec<Step>> {
        let target = self.find(to);
        let external = self.externals.binary_search_by(|name| name.as_str().cmp(to)).ok();
        let is_target = |edge: &Edge| match edge.kind {
            EdgeKind::Module | EdgeKind::Code => {
                target.is_some_and(|to| (to.0..self.module(to).end).contains(&edge.target))
            }
            EdgeKind::External | EdgeKind::Optional => {
                target.is_none() && external == Some(edge.target as usize)
            }
        };
        let mut came: Vec<Option<Came>> = vec![None; self.modules.len()];
        let mut queue = VecDeque::new();
        for id in self.below(from) {
            came[id.0 as usize] = Some(Came { from: NONE, place: None });
            queue.push_back(id);
        }
        while let Some(id) = queue.pop_front() {
            for edge in self.edges(id) {
                if is_target(edge) {
                    let mut steps = self.steps_to(id, &came);
                    steps.push(self.step(id, edge));
                    return Some(steps);
                }
            }
            for edge in self.edges(id) {
                let place = Some((edge.file, edge.line));
                match edge.kind {
                    EdgeKind::Module => {
                        let reached = ModuleId(edge.target);
                        self.reach(&mut came, &mut queue, (reached, Came { from: id.0, place }));
                        for below in self.below(reached).skip(1) {
                            let from = reached.0;
                            self.reach(&mut came, &mut queue, (below, Came { from, place: None }));
                        }
                    }
                    EdgeKind::Code => {
                        let reached = ModuleId(edge.target);
                        self.reach(&mut came, &mut queue, (reached, Came { from: id.0, place }));
                    }
                    EdgeKind::External | EdgeKind::Optional => {}
                }
            }
            for above in self.above(id) {
                let how = Came { from: id.0, place: None };
                self.reach(&mut came, &mut queue, (above, how));
            }
        }
        None
    }

    fn reach(
        &self,
        came: &mut [Option<Came>],
        queue: &mut VecDeque<ModuleId>,
        (id, how): (ModuleId, Came),
    ) {
        let known = &mut came[id.0 as usize];
        if known.is_none() && !self.files(id).is_empty() {
            *known = Some(how);
            queue.push_back(id);
        }
    }

    fn steps_to(&self, id: ModuleId, came: &[Option<Came>]) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut at = id.0;
        while let Some(Some(Came { from, place })) = came.get(at as usize)
            && *from != NONE
        {
            steps.push(Step {
                importer: self.name(ModuleId(*from)).to_owned(),
                imported: self.name(ModuleId(at)).to_owned(),
                place: *place,
            });
            at = *from;
        }
        steps.reverse();
        steps
    }

    fn step(&self, importer: ModuleId, edge: &Edge) -> Step {
        Step {
            importer: self.name(importer).to_owned(),
            imported: self.target_name(edge).to_owned(),
            place: Some((edge.file, edge.line)),
        }
    }

    /// Whether a name is a module's, or one that is imported from elsewhere.
    pub fn knows(&self, name: &str) -> bool {
        self.find(name).is_some() || self.externals.iter().any(|external| external == name)
    }

    /// What a module, or one below it, imports.
    pub fn imports_of(&self, module: ModuleId) -> Vec<Step> {
        let below = self.below(module).collect::<Vec<_>>();
        let steps = below
            .into_iter()
            .flat_map(|id| self.edges(id).iter().map(move |edge| self.step(id, edge)));
        steps.collect()
    }

    /// What imports a module, or one below it, from elsewhere; of a name that is none of our
    /// modules, what imports it.
    pub fn importers_of(&self, name: &str) -> Vec<Step> {
        let target = self.find(name).map(|id| id.0..self.module(id).end);
        let mut steps = Vec::new();
        for id in self.ids() {
            for edge in self.edges(id) {
                let is_wanted = match (edge.kind, &target) {
                    (EdgeKind::Module | EdgeKind::Code, Some(range)) => {
                        range.contains(&edge.target) && !range.contains(&id.0)
                    }
                    (EdgeKind::External | EdgeKind::Optional, None) => {
                        self.target_name(edge) == name
                    }
                    _ => false,
                };
                if is_wanted {
                    steps.push(self.step(id, edge));
                }
            }
        }
        steps
    }
}
