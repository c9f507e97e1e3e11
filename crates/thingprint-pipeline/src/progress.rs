/// Is told how far a pipeline has read.
pub trait Progress: Sync {
    /// So many bytes of the source were read, as they lie in files.
    fn read(&self, bytes: u64);
}

/// For those who do not want to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn read(&self, _: u64) {}
}
