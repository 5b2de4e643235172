import subprocess
import sys
import zipfile
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_the_package_and_its_migrations(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=_ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        f"langroute/{path.relative_to(_ROOT / 'src')}"
        for kind in ("*.py", "*.lua")
        for path in (_ROOT / "src").rglob(kind)
    }
    migrations = {
        f"langroute/{path.relative_to(_ROOT)}" for path in (_ROOT / "migrations").rglob("*.py")
    }
    assert sources | migrations | {"langroute/py.typed"} <= names
    assert not [name for name in names if not name.startswith(("langroute/", "langroute-"))]
