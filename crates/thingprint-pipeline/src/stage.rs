use either::Either;
use thingprint_flow::{CarriedFlow, DeviceId, DeviceIndex, DeviceLosses, Timestamp, TrackCounts};
use thingprint_protocol::{Engine, Losses, MessageObserver};

/// What is done with the packets, flows and messages of a trace.
///
/// A pipeline runs one observer of a stage in each shard; devices are shared among the shards, so that no device is in
/// two of them. A pair of stages is a stage: both see the same flows and messages.
pub trait Stage: Sync {
    /// What follows the flows of a shard.
    type Observer: MessageObserver<State: Send> + Send;
    /// What is handed out while the trace is read.
    type Row: Send;
    /// What a shard leaves at the end.
    type Rest: Send;
    /// The order of rows that become final at the same time.
    type Key: Ord;

    /// An observer for one shard, whose messages are found by `engine`.
    fn observer(&self, engine: &Engine) -> Self::Observer;

    /// Takes the rows that became final since they were taken last.
    fn take(&self, observer: &mut Self::Observer) -> Vec<Self::Row>;

    /// When a row became final, and its place among the others of that time.
    fn order(&self, row: &Self::Row) -> (Timestamp, Self::Key);

    /// The device that a row is of; rows of gateways are left out, but for [`Stage::is_own`].
    fn device(&self, row: &Self::Row) -> Option<DeviceId>;

    /// Whether a row is of what its device says for itself, so that it stays where that is a gateway.
    fn is_own(&self, row: &Self::Row) -> bool {
        let _ = row;
        false
    }

    /// What caps of the observer left out, after its last rows were taken.
    fn left_out(&self, observer: &Self::Observer) -> DeviceLosses {
        let _ = observer;
        DeviceLosses::default()
    }

    /// What a shard leaves, after its last rows were taken.
    fn finish(&self, observer: Self::Observer, end: &End) -> Self::Rest;
}

/// How a shard ended.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// The devices of the shard, by their index there.
    pub devices: Vec<DeviceId>,
    /// Flows that were open at the edge of their window, and that a trace which continues this one may continue.
    pub carried: Vec<(DeviceIndex, CarriedFlow)>,
    /// Time of the earliest and of the latest frame that the shard knows of.
    pub span: Option<(Timestamp, Timestamp)>,
    /// What the flow table counted.
    pub counts: TrackCounts,
    /// What detection could not read.
    pub losses: Losses,
    /// What caps left out, by device: those of the flow table, of detection and of the stage.
    pub left_out: DeviceLosses,
}

impl<A: Stage, B: Stage> Stage for (A, B) {
    type Observer = (A::Observer, B::Observer);
    type Row = Either<A::Row, B::Row>;
    type Rest = (A::Rest, B::Rest);
    type Key = Either<A::Key, B::Key>;

    fn observer(&self, engine: &Engine) -> Self::Observer {
        (self.0.observer(engine), self.1.observer(engine))
    }

    fn take(&self, observer: &mut Self::Observer) -> Vec<Self::Row> {
        let left = self.0.take(&mut observer.0).into_iter().map(Either::Left);
        left.chain(self.1.take(&mut observer.1).into_iter().map(Either::Right)).collect()
    }

    fn order(&self, row: &Self::Row) -> (Timestamp, Self::Key) {
        match row {
            Either::Left(row) => {
                let (at, key) = self.0.order(row);
                (at, Either::Left(key))
            }
            Either::Right(row) => {
                let (at, key) = self.1.order(row);
                (at, Either::Right(key))
            }
        }
    }

    fn device(&self, row: &Self::Row) -> Option<DeviceId> {
        match row {
            Either::Left(row) => self.0.device(row),
            Either::Right(row) => self.1.device(row),
        }
    }

    fn is_own(&self, row: &Self::Row) -> bool {
        match row {
            Either::Left(row) => self.0.is_own(row),
            Either::Right(row) => self.1.is_own(row),
        }
    }

    fn left_out(&self, observer: &Self::Observer) -> DeviceLosses {
        let mut losses = self.0.left_out(&observer.0);
        losses.merge(self.1.left_out(&observer.1));
        losses
    }

    fn finish(&self, observer: Self::Observer, end: &End) -> Self::Rest {
        (self.0.finish(observer.0, end), self.1.finish(observer.1, end))
    }
}
