"""Makes the wheels that this example installs, so that it needs no network."""

import pathlib
import zipfile

FOLDER = pathlib.Path("wheels")

GREET = """
import sys

def main():
    print("{greeting},", sys.argv[1])
"""

SITEMAKER = """
import pathlib
import sys

def main():
    lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
    for line in filter(None, lines):
        print(f"<h1>{line[2:]}</h1>" if line.startswith("# ") else f"<p>{line}</p>")
"""


def wheel(name: str, version: str, source: str) -> None:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(FOLDER / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(zipfile.ZipInfo(path), text)


FOLDER.mkdir(exist_ok=True)
wheel("greet", "1.0", GREET.format(greeting="Hello"))
wheel("greet", "1.1", GREET.format(greeting="Good morning"))
wheel("greet", "2.0", GREET.format(greeting="Greetings"))
wheel("sitemaker", "3.0", SITEMAKER)
