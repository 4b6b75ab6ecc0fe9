#!/usr/bin/env python3
"""Latency of `qik --watch`: from the write of a file to the start of the command.

    python3 tests/bench/watch.py target/release/qik [--original PATH] [--rounds N] [--files N]

Each tool watches the same repository; the command tells its start through a fifo, so that a
shell's own start, about a millisecond, is counted in. `watchexec` is measured if it is on the
PATH, Python's qik if its path is given. A second part measures a large repository: how long it
takes until the watcher is up, what it holds, and the latency there.
"""

import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

DEBOUNCE_MS = 20


class Fifo:
    """Tells when a command has started."""

    def __init__(self, path: pathlib.Path):
        os.mkfifo(path)
        self.file = os.open(path, os.O_RDWR)
        self.times: list[float] = []
        self.news = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while os.read(self.file, 1):
            with self.news:
                self.times.append(time.perf_counter())
                self.news.notify_all()

    def next(self, count: int, patience: float) -> float | None:
        """The time of start number `count`, counted from 0."""
        with self.news:
            self.news.wait_for(lambda: len(self.times) > count, patience)
            return self.times[count] if len(self.times) > count else None


def git(root: pathlib.Path, *args: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    config = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "gc.auto=0"]
    subprocess.run(["git", *config, *args], cwd=root, env=env, check=True)


def make(base: pathlib.Path, files: int, pattern: str) -> pathlib.Path:
    root = base / "repo"
    root.mkdir()
    command = f"exec = 'printf x > {base}/fifo'\ndeps = ['{pattern}']\ncache = 'none'\n"
    (root / "qik.toml").write_text(f"[commands.x]\n{command}")
    (root / "src").mkdir()
    (root / "src/a.txt").write_text("0\n")
    for number in range(files):
        folder = root / f"src/{number // 1000}/{number // 10 % 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"f{number}").write_text("x\n")
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "begin")
    return root


def measure(name: str, argv: list[str], files: int, rounds: int, pattern: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        root = make(base, files, pattern)
        fifo = Fifo(base / "fifo")
        argv = [word.replace("FIFO", str(base / "fifo")) for word in argv]
        begin = time.perf_counter()
        process = subprocess.Popen(
            argv, cwd=root, stdin=subprocess.DEVNULL, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            first = fifo.next(0, 120)
            if first is None:
                print(f"{name:24} did not start")
                return
            time.sleep(1)
            latencies = latency(fifo, root / "src/a.txt", rounds)
            held = memory(process.pid)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if not latencies:
        print(f"{name:24} noticed nothing")
        return
    middle, late = statistics.median(latencies), statistics.quantiles(latencies, n=20)[-1]
    lost = rounds - len(latencies)
    print(
        f"{name:24} first start {1000 * (first - begin):7.0f} ms   "
        f"latency {1000 * middle:6.1f} ms (p95 {1000 * late:6.1f})   {held:5.0f} MiB"
        + (f"   {lost} of {rounds} not noticed" if lost else "")
    )


def latency(fifo: Fifo, path: pathlib.Path, rounds: int) -> list[float]:
    found = []
    for number in range(rounds):
        before = len(fifo.times)
        written = time.perf_counter()
        path.write_text(f"{number} {written}\n")
        if started := fifo.next(before, 5):
            found.append(started - written)
        # What the last one left behind is no part of the next.
        time.sleep(0.3)
    return found


def memory(pid: int) -> float:
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("qik")
    parser.add_argument("--original")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--files", type=int, default=100_000)
    args = parser.parse_args()
    qik = [str(pathlib.Path(args.qik).resolve()), "--watch"]
    tools = {f"qik (settles {DEBOUNCE_MS} ms)": qik, "qik --debounce 0": [*qik, "--debounce", "0"]}
    if args.original:
        tools["qik 0.2 (Python)"] = [args.original, "--watch"]
    if watchexec := shutil.which("watchexec"):
        tools["watchexec"] = [watchexec, "--", "printf x > FIFO"]
    print("small repository")
    for name, argv in tools.items():
        measure(name, argv, 10, args.rounds, "src/**")
    print(f"{args.files} tracked files, all of them deps")
    for name, argv in tools.items():
        measure(name, argv, args.files, min(args.rounds, 20), "src/**")
    print(f"{args.files} tracked files, one of them a dep")
    for name, argv in tools.items():
        measure(name, argv, args.files, min(args.rounds, 20), "src/a.txt")


if __name__ == "__main__":
    main()
