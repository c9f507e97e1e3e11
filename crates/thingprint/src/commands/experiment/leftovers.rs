use std::fs;
use std::path::Path;
use std::time::Duration;

/// How the folder is named in which the files of a result are written before they are moved.
pub(super) const FRESH: &str = ".thingprint-";

/// How files that are not yet whole are named in the end.
const PART: &str = ".part";

/// Takes away what interrupted runs have left in a folder: half-written files and folders that have been there for so
/// long. What cannot be taken away stays, and does no harm.
pub(super) fn sweep(folder: &Path, age: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with(FRESH) || (name.starts_with('.') && name.ends_with(PART));
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_old = modified.ok().is_some_and(|time| time.elapsed().is_ok_and(|passed| passed >= age));
        if is_ours && is_old {
            let path = entry.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_goes_and_what_was_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path(".thingprint-abc")).unwrap();
        for name in [".thingprint-abc/report.md", ".x.json.abc.part", "report.md", ".hidden", "x.part"] {
            fs::write(path(name), "").unwrap();
        }
        sweep(folder.path(), Duration::from_hours(1));
        assert!(path(".x.json.abc.part").exists(), "another run may be writing it");
        sweep(folder.path(), Duration::ZERO);
        let mut left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".hidden", "report.md", "x.part"]);
    }
}
