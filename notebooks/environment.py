"""The Python environment of the notebooks and of the tests of the Python package.

The packages of requirements.txt are installed once for each list of packages and version of Python, into an environment under
~/.cache/thingprint, which takes a network. The package `thingprint` itself is another one for each checkout: it is built into a
folder beside the program, so that checkouts do not disturb each other.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parent
REQUIREMENTS = HERE / "requirements.txt"
SPARK_REQUIREMENTS = CHECKOUT / "crates" / "thingprint-python" / "tests" / "spark.txt"
OLDEST_PYTHON = (3, 11)
OLDEST_JAVA = 17


def enter():
    """Goes on in the environment, which is made where there is none."""
    environment = folder()
    if Path(sys.prefix).resolve() != environment:
        prepare(environment)
        python = environment / "bin" / "python"
        os.execv(python, [python, *sys.argv])
    keep_settings_in(environment)


def folder():
    """One for each list of packages and version of Python, so that checkouts do not disturb each other."""
    if sys.version_info < OLDEST_PYTHON:
        fail(f"needs Python {'.'.join(map(str, OLDEST_PYTHON))} or later; {sys.executable} is {sys.version.split()[0]}")
    return (cache() / f"notebooks-{key_of(REQUIREMENTS)}").resolve()


def cache():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thingprint"


def key_of(requirements):
    version = "{}.{}".format(*sys.version_info)
    return hashlib.sha256(version.encode() + requirements.read_bytes()).hexdigest()[:12]


def prepare(environment):
    """Makes the environment; one that was left half made is made again."""
    environment.parent.mkdir(parents=True, exist_ok=True)
    with open(environment.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_complete = environment / "complete"
        if is_complete.exists():
            return
        print(f"installing the packages of {REQUIREMENTS.name} into {environment}", flush=True)
        make = [sys.executable, "-m", "venv", "--clear", environment]
        if subprocess.run(make).returncode != 0:
            fail("cannot make an environment; on Debian and Ubuntu the package python3-venv has what is missing")
        pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check"]
        if subprocess.run([*pip, "install", "--quiet", "--requirement", REQUIREMENTS]).returncode != 0:
            fail("cannot install the packages of notebooks/requirements.txt, which takes a network the first time")
        is_complete.touch()


def keep_settings_in(environment):
    """Keeps what Jupyter and matplotlib write out of the home folder, and what Python compiles out of the checkout."""
    for name in ["IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"]:
        path = environment / "var" / name.lower()
        path.mkdir(parents=True, exist_ok=True)
        os.environ[name] = str(path)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"


def install_package():
    """Builds the Python package of the checkout with pip, and has Python find it; gives the folder that it is in."""
    target = Path(os.environ.get("CARGO_TARGET_DIR") or CHECKOUT / "target").resolve() / "python"
    place = target / "package"
    # Without an environment of its own for the build, pip calls maturin by its name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    build = {**os.environ, "CARGO_TARGET_DIR": str(target), "PATH": path}
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    shutil.rmtree(place, ignore_errors=True)
    line = [*pip, "--no-deps", "--no-build-isolation", "--no-index", "--target", place, CHECKOUT]
    if subprocess.run(line, env=build).returncode != 0:
        fail("cannot build the Python package: see above")
    sys.path.insert(0, str(place))
    os.environ["PYTHONPATH"] = str(place)
    return place


def install_spark():
    """Has Python find Spark: whether there is a Java to run it, and the package can be had. It is larger than all others
    together, so it is apart from them."""
    if not is_java_there():
        print(f"skipped: there is no Java {OLDEST_JAVA} or later, so nothing that needs Spark is run", flush=True)
        return False
    place = cache() / f"spark-{key_of(SPARK_REQUIREMENTS)}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with open(place.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_complete = place / "complete"
        if not is_complete.exists():
            print(f"installing the packages of {SPARK_REQUIREMENTS.name} into {place}", flush=True)
            shutil.rmtree(place, ignore_errors=True)
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
            if subprocess.run([*pip, "--target", place, "--requirement", SPARK_REQUIREMENTS]).returncode != 0:
                print("skipped: pyspark cannot be had, so nothing that needs Spark is run", flush=True)
                return False
            is_complete.touch()
    sys.path.append(str(place))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(place)]))
    return True


def is_java_there():
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        return False
    said = subprocess.run([java, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    return version is not None and int(version[1]) >= OLDEST_JAVA


def fail(message):
    sys.exit(f"{Path(sys.argv[0]).name}: {message}")
