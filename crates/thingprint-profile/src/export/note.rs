use std::fmt;

/// In what rules say something else than the profile they are written from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExportNote {
    /// The device, by its name; `None` for all of them.
    pub device: Option<String>,
    /// What became of it.
    pub kind: NoteKind,
    /// Why.
    pub reason: String,
    /// The entry of the profile, by its name; `None` where it is about the device as a whole.
    pub entry: Option<String>,
}

/// What became of an entry that a format cannot write as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// It is not written: what it accepts does not pass.
    LeftOut,
    /// It is written, and more passes than it accepts.
    Widened,
    /// It is written, and less passes than it accepts.
    Narrowed,
    /// Something had to be assumed.
    Assumed,
}

impl NoteKind {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeftOut => "left out",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
            Self::Assumed => "assumed",
        }
    }
}

impl fmt::Display for ExportNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(device) = &self.device {
            write!(f, "{device}: ")?;
        }
        f.write_str(self.kind.name())?;
        if let Some(entry) = &self.entry {
            write!(f, ": {entry}")?;
        }
        write!(f, ": {}", self.reason)
    }
}
