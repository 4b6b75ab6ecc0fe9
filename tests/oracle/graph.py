#!/usr/bin/env python3
"""Compares the import graphs of two implementations of qik, edge by edge. Run by hand:

    tests/oracle/graph.py target/release/qik ORACLE/bin/qik [SOURCE_TREE ...]

The second one is Python's qik 0.2.10, whose folder is put on the PATH. Each source tree is copied
into a fresh repository; `--python-path` and `--roots` say how it is laid out. Without trees, two
generated ones are compared. Exits with 1 if there is a difference that is not explained:

- modules of folders without an `__init__.py`, and single files at the top: only ours has them,
  and their edges;
- a module named as one of Python's own, which was a module of the project all the same;
- stubs (`.pyi`);
- where the original cannot see such a folder, it takes an import of what is in it for one of the
  package above;
- an import of a module that is not there is one of the nearest package above it; the original
  takes the topmost;
- an import from beyond the top is one of a module without a name there, one of `__main__` that of
  a distribution, and a module may import itself.

`--time` measures both, cold (the median of three) and after one edit (of nine, each in another
file), as user and system time.
"""

import argparse
import json
import os
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

EDIT_COUNT = 9

CONFIG = """
[plugins]
pygraph = "qik.pygraph"

[defaults]
python-path = "%s"

[pydist]
ignore-missing = true
ignore-missing-modules = true
"""


def generated(folder: pathlib.Path, packages: int, modules: int) -> None:
    rng = random.Random(7)
    names = [f"pkg{p}" for p in range(packages)]
    every = [f"{name}.sub{m % 3}.mod{m}" for name in names for m in range(modules)]
    for name in names:
        for m in range(modules):
            path = folder / name / f"sub{m % 3}" / f"mod{m}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / "__init__.py").touch()
            (folder / name / "__init__.py").touch()
            target = rng.choice(every)
            package, _, module = target.rpartition(".")
            near = f"mod{rng.randrange(modules)}"
            lines = [
                "import os, json.decoder",
                "from typing import TYPE_CHECKING",
                rng.choice([f"import {target}", f"from {package} import {module}",
                            f"from {target} import value as v", f"from {target} import *",
                            f"import {target} as x, {rng.choice(every)}"]),
                rng.choice([f"from . import {near}", f"from .{near} import value", "from .. import sub1",
                            f"from ..sub2 import {near}", "from ... import nothing", "from . import *",
                            "import numpy.linalg", "from yaml import x", f"import {name}.not_there",
                            f"from {name}.not_there import x", f"import {name}"]),
                f"if TYPE_CHECKING:\n    import {rng.choice(every)}\nelse:\n    import {rng.choice(every)}",
                f"def late():\n    try:\n        import {rng.choice(every)}\n    except ImportError:\n"
                f"        from {rng.choice(names)} import sub0",
                f"class A:\n    async def f(self):\n        with x:\n            import {rng.choice(every)}",
                "value = 'import pkg0.sub0.mod0'",
            ]
            path.write_text("\n".join(lines) + "\n")


def repository(tree: pathlib.Path | None, python_path: str, base: pathlib.Path) -> pathlib.Path:
    root = base / "repo"
    if tree is None:
        generated(root / python_path, 12, 30)
    else:
        shutil.copytree(tree, root, symlinks=True, ignore=shutil.ignore_patterns(".git", ".qik", "._qik"))
    (root / "qik.toml").write_text(CONFIG % python_path)
    for args in (["init", "-q"], ["config", "user.name", "x"], ["config", "user.email", "x@x"],
                 ["config", "gc.auto", "0"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *args], cwd=root, check=True)
    return root


def build(qik: str, root: pathlib.Path, oracle: bool) -> float:
    env = {**os.environ}
    if oracle:
        env["PATH"] = f"{pathlib.Path(qik).parent}:{env['PATH']}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([qik, "pygraph.build"], cwd=root, env=env, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{qik}: {done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def graph(root: pathlib.Path) -> tuple[dict[str, bool], set[tuple[str, str]]]:
    text = (root / "._qik/artifacts/pygraph.build/graph.json").read_text()
    data = json.loads(text)
    # The original leaves out what is its default.
    modules = [(m[0], m[1] if len(m) > 1 else True) for m in data["modules"]]
    return dict(modules), {(modules[a][0], modules[b][0]) for a, b in data["edges"]}


def is_regular(name: str, roots: pathlib.Path) -> bool:
    """Whether the original would look at a module: a package at the top, and packages below."""
    parts = name.split(".")
    folder = roots
    for part in parts[:-1]:
        folder = folder / part
        if not (folder / "__init__.py").exists():
            return False
    last = folder / parts[-1]
    is_module = len(parts) > 1 and last.with_suffix(".py").exists()
    return (last / "__init__.py").exists() or is_module


def compare(ours, theirs, roots: pathlib.Path) -> int:
    (our_modules, our_edges), (their_modules, their_edges) = ours, theirs
    regular = {n for n, internal in our_modules.items() if not internal or is_regular(n, roots)}
    regular = {n for n in regular if n.split(".")[0] not in sys.stdlib_module_names}
    unexplained = 0
    external = {b for a, b in our_edges if a in regular}
    for name in sorted(set(our_modules) ^ set(their_modules)):
        is_ours = name in our_modules
        if name in ("", "__main__"):
            continue
        if is_ours and (name not in regular or (not our_modules[name] and name not in external)):
            continue
        unexplained += 1
        print(f"  module {'+' if is_ours else '-'} {name}")
    top = lambda name: name.split(".")[0]
    only_ours, only_theirs = our_edges - their_edges, their_edges - our_edges
    nearest = {(a, b) for a, b in only_ours if (a, top(b)) in their_edges and b != top(b)}
    packages = {name.rpartition(".")[0] for name in our_modules}
    # The nearest package may be imported in its own right, too.
    topmost = {(a, top(b)) for a, b in our_edges if b in packages and b != top(b)} & only_theirs
    for a, b in sorted((only_ours - nearest) | (only_theirs - topmost)):
        is_ours = (a, b) in our_edges
        hidden = any(x == a and y.startswith(f"{b}.") and y not in regular for x, y in our_edges)
        if a == b or b in ("", "__main__") or hidden:
            continue
        if is_ours and not (a in regular and b in regular):
            continue
        unexplained += 1
        print(f"  edge {'+' if is_ours else '-'} {a} -> {b}")
    extra = len([e for e in our_edges if e not in their_edges])
    print(f"  {len(their_modules)} modules and {len(their_edges)} edges of the original;"
          f" {len(our_modules)} and {len(our_edges)} of ours, {extra} edges more; {unexplained} unexplained")
    return unexplained


def edited_files(root: pathlib.Path, python_path: str, args: argparse.Namespace) -> list[pathlib.Path]:
    """The files that are edited one after the other."""
    if args.edit:
        return [root / args.edit] * EDIT_COUNT
    sources = sorted(path for path in (root / python_path).rglob("*.py") if path.stat().st_size)
    return sources[:: max(1, len(sources) // EDIT_COUNT)][:EDIT_COUNT]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("qik")
    parser.add_argument("oracle")
    parser.add_argument("trees", nargs="*")
    parser.add_argument("--python-path", default=".")
    parser.add_argument("--edit", help="a module's file, to be changed for the second measurement")
    parser.add_argument("--time", action="store_true")
    args = parser.parse_args()
    qik, oracle = (str(pathlib.Path(p).absolute()) for p in (args.qik, args.oracle))
    layouts = [(pathlib.Path(t), args.python_path) for t in args.trees] or [(None, "."), (None, "src/python")]
    failures = 0
    for tree, python_path in layouts:
        with tempfile.TemporaryDirectory() as base:
            root = repository(tree, python_path, pathlib.Path(base))
            print(tree or f"generated, below {python_path}")
            times, graphs = {}, {}
            for name, program in (("original", oracle), ("ours", qik)):
                def run() -> float:
                    return build(program, root, name == "original")

                cold = []
                for _ in range(3 if args.time else 1):
                    shutil.rmtree(root / "._qik", ignore_errors=True)
                    cold.append(run())
                graphs[name] = graph(root)
                edits = []
                for edited in edited_files(root, python_path, args) if args.time else []:
                    text = edited.read_bytes()
                    edited.write_bytes(text + b"\n# changed\n")
                    edits.append(run())
                    edited.write_bytes(text)
                    run()
                times[name] = cold, edits
            failures += compare(graphs["ours"], graphs["original"], root / python_path)
            if args.time:
                for at, what in enumerate(("cold", "after one edit")):
                    theirs, ours = (statistics.median(times[name][at]) for name in ("original", "ours"))
                    print(f"  {what}: {theirs:.3f} s against {ours:.3f} s, {theirs / max(ours, 1e-6):.1f} times")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
