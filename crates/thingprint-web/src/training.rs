use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use thingprint_table::rfc3339;
use thingprint_watch::{Request, Trained};

use crate::problem::Problem;
use crate::site::Site;
use crate::time;
use crate::update::Message;

/// The training that a person asked for: at most one, in a thread of its own.
#[derive(Debug, Default)]
pub(crate) struct Training(Mutex<TrainingState>);

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum TrainingState {
    /// Nobody asked for it.
    #[default]
    None,
    /// It is under way.
    Running {
        /// By the clock of the machine, as RFC 3339.
        since: String,
    },
    /// A model waits for a decision.
    Trained { trained: Trained },
    /// It failed.
    Failed { error: String },
}

impl TrainingState {
    /// As JSON: all keys whatever the state is.
    pub(crate) fn json(&self) -> Value {
        let (since, trained, error) = match self {
            Self::None => (None, None, None),
            Self::Running { since } => (Some(since), None, None),
            Self::Trained { trained } => (None, Some(trained), None),
            Self::Failed { error } => (None, None, Some(error)),
        };
        json!({ "state": self.as_str(), "since": since, "trained": trained, "error": error })
    }

    /// The word for it, as JSON has it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Running { .. } => "running",
            Self::Trained { .. } => "trained",
            Self::Failed { .. } => "failed",
        }
    }
}

impl Training {
    pub(crate) fn state(&self) -> TrainingState {
        self.lock().clone()
    }

    /// Begins, unless it is under way.
    pub(crate) fn start(site: &Arc<Site>) -> Result<(), Problem> {
        {
            let mut state = site.training.lock();
            if matches!(*state, TrainingState::Running { .. }) {
                let text = "A model is being trained already. Wait until it is done.";
                return Err(Problem::new(axum::http::StatusCode::CONFLICT, text));
            }
            *state = TrainingState::Running { since: rfc3339::format(time::now()) };
        }
        site.say(Message::training("running"));
        let own = Arc::clone(site);
        let thread = std::thread::Builder::new().name("web-training".to_owned()).spawn(move || run(&own));
        thread.map(drop).map_err(|error| {
            let text = format!("The system gives no thread for the training: {error}.");
            site.training.set(TrainingState::Failed { error: text.clone() });
            Problem::busy(&text)
        })
    }

    /// Nothing is left to decide.
    pub(crate) fn decided(&self) {
        self.set(TrainingState::None);
    }

    fn set(&self, state: TrainingState) {
        *self.lock() = state;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TrainingState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Trains, and keeps what came out. Where the backend fails in a way that nobody foresaw, people see that as well.
fn run(site: &Site) {
    let train = std::panic::AssertUnwindSafe(|| site.backend.request(Request::Train));
    let state = match std::panic::catch_unwind(train) {
        Ok(Ok(Some(trained))) => TrainingState::Trained { trained },
        Ok(Ok(None)) => failed("no model came out of it"),
        Ok(Err(error)) => failed(&error.to_string()),
        Err(_) => failed("the program failed; its log has the details"),
    };
    let word = state.as_str();
    site.training.set(state);
    site.say(Message::training(word));
}

fn failed(why: &str) -> TrainingState {
    TrainingState::Failed { error: why.to_owned() }
}
