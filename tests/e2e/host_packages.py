"""Small packages of the tests' own, made by dpkg-deb and rpmbuild: each installs one file."""
import hashlib
import shutil
import subprocess

import support


def run(*words):
    done = subprocess.run(
        [*map(str, words)], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        raise AssertionError(f"{words} answers {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def deb(folder, name, version):
    """The file of the .deb, made in the folder."""
    file = folder / f"{name}_{version}_all.deb"
    if not file.exists():
        root = folder / "content" / f"{name}_{version}"
        support.write(
            root / "DEBIAN/control",
            f"Package: {name}\nVersion: {version}\nArchitecture: all\nSection: misc\n"
            "Maintainer: Nobody <nobody@example.org>\nDescription: of a test\n",
        )
        support.write(root / f"usr/share/{name}/version", version + "\n")
        run("dpkg-deb", "--root-owner-group", "--build", root, file)
    return file


def add_to_repository(folder, file):
    """Puts a .deb into a flat repository: `deb [trusted=yes] file:FOLDER ./`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)
    stanza = run("dpkg-deb", "-f", file)
    content = file.read_bytes()
    with open(folder / "Packages", "a") as index:
        index.write(f"{stanza.strip()}\nFilename: ./{file.name}\nSize: {len(content)}\n"
                    f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n")  # fmt: skip


def rpm(folder, name, version):
    """The file of the .rpm; version is VERSION-RELEASE."""
    number, _, release = version.partition("-")
    file = folder / "rpm" / "noarch" / f"{name}-{version}.noarch.rpm"
    if not file.exists():
        spec = support.write(
            folder / f"{name}.spec",
            f"Name: {name}\nVersion: {number}\nRelease: {release}\nSummary: of a test\n"
            "License: MIT\nBuildArch: noarch\n%description\nOf a test.\n"
            f"%install\nmkdir -p %{{buildroot}}/usr/share/{name}\n"
            f"echo {version} >%{{buildroot}}/usr/share/{name}/version\n"
            f"%files\n/usr/share/{name}/version\n",
        )  # fmt: skip
        run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/top",
            "--define", f"_rpmdir {folder}/rpm", spec)  # fmt: skip
    return file
