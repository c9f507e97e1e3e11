use super::section::Found;
use crate::Sender;

/// What is known of a flow for one model: which direction of the model each side of the flow satisfies.
///
/// Either side may be the client, so there are two hypotheses for `request` and `response` each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ModelState {
    yes: u8,
    no: u8,
    open: [Option<Found>; 6],
}

/// A direction of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Request,
    Response,
    Combined,
}

/// Whether a flow is of a model's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detection {
    /// It is: what the model asks for was seen.
    Certain,
    /// It may be: more has to be seen.
    Possible,
    /// It is not, whatever follows.
    No,
}

impl ModelState {
    /// Whether the payloads of `sender` satisfy `role`, if that is known.
    pub(crate) const fn of(&self, role: Role, sender: Sender) -> Option<bool> {
        let bit = Self::bit(role, sender);
        if self.yes & bit != 0 {
            Some(true)
        } else if self.no & bit != 0 {
            Some(false)
        } else {
            None
        }
    }

    /// Notes which matchers a payload satisfied in a direction that conditions on the packets of the flow leave open.
    pub(crate) fn set_open(&mut self, role: Role, sender: Sender, found: Found) {
        if let Some(place) = self.open.get_mut(Self::place(role, sender)) {
            place.get_or_insert(found);
        }
    }

    /// What was noted so.
    pub(crate) fn open(&self, role: Role, sender: Sender) -> Option<Found> {
        self.open.get(Self::place(role, sender)).copied().flatten()
    }

    /// Notes that the payloads of `sender` satisfy `role`, or never will.
    pub(crate) const fn set(&mut self, role: Role, sender: Sender, value: bool) {
        let bit = Self::bit(role, sender);
        if value {
            self.yes |= bit;
        } else {
            self.no |= bit;
        }
    }

    /// Whether some payload satisfied something, or may have.
    pub(crate) fn has_promise(&self) -> bool {
        self.yes != 0 || self.open.iter().any(Option::is_some)
    }

    /// Whether both sides together satisfy `combined`: one payload of either is enough.
    pub(crate) const fn combined(&self) -> Option<bool> {
        match (self.of(Role::Combined, Sender::Device), self.of(Role::Combined, Sender::Peer)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        }
    }

    const fn bit(role: Role, sender: Sender) -> u8 {
        1 << Self::place(role, sender)
    }

    const fn place(role: Role, sender: Sender) -> usize {
        let side = match sender {
            Sender::Device => 0,
            Sender::Peer => 1,
        };
        2 * role as usize + side
    }
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Request, Self::Response, Self::Combined];

    /// The direction's name in `select`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Combined => "combined",
        }
    }
}

impl Sender {
    /// The other end.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Device => Self::Peer,
            Self::Peer => Self::Device,
        }
    }
}
