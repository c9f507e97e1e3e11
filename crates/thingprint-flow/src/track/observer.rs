use super::device::DeviceIndex;
use super::edge::FlowRecord;
use super::flow::Flow;
use super::key::{DeviceFrame, DevicePacket, FiveTuple};
use super::window::WindowIndex;
use crate::{DeviceId, Timestamp};

/// Follows the flows of a [`Tracker`](crate::Tracker). State of type `State` rides with each flow, so that the flow
/// table knows nothing of protocols.
///
/// Every method has a default that does nothing, and a tuple of observers is an observer: all of them see the same
/// flow table, each with a state of its own.
pub trait Observer {
    /// What rides with each flow. A flow that goes on over a window's edge is two [`Flow`]s; see
    /// [`Observer::continue_flow`].
    type State: Default;

    /// Whether [`Observer::frame`] wants the frames without an IP packet.
    const WANTS_FRAMES: bool = false;

    /// Whether a device that fell silent may be forgotten: an observer that reports devices at the end may not.
    const FORGETS: bool = false;

    /// Whether flows are wanted soon after they fell silent, where a window is the whole capture; else at its end.
    const WANTS_SILENT: bool = true;

    /// Whether [`Observer::left_open`] wants the flows that are open when the trace ends.
    const WANTS_OPEN: bool = false;

    /// The clock starts: `first` is the time of the first frame.
    fn begin(&mut self, first: Timestamp) {
        let _ = first;
    }

    /// The clock stepped back: all windows were closed, but some may open again, and nothing goes on from before.
    fn begin_segment(&mut self) {}

    /// A device sends or receives its first packet, or its first one after it was forgotten.
    fn device(&mut self, device: DeviceIndex, id: DeviceId) {
        let _ = (device, id);
    }

    /// A device is established: somebody answered it. That a made-up address has to pay for with frames of two hosts, so
    /// caps give an established device a share of its own, and all others one share together; see
    /// [`FairCap`](crate::FairCap).
    ///
    /// An answer is a packet in a flow whose other direction was seen before, which is not an RST. It counts where the peer
    /// is none of the devices, as a gateway is, or answered before. Devices that are forgotten have to be established anew.
    ///
    /// It is told again for each further flow in which the device is answered, so that caps know how often that was.
    fn established(&mut self, device: DeviceIndex) {
        let _ = device;
    }

    /// A packet of a device, with its flow's state.
    fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut Self::State) {
        let _ = (packet, state);
    }

    /// A frame of a device without an IP packet: ARP, EAPOL, or another `EtherType`.
    fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
        let _ = frame;
    }

    /// A flow of `device` was active from one time to the other, both included; it comes behind the packet that showed
    /// it. Unlike [`Flow`]s these spans are
    /// not cut at window edges.
    fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
        let _ = (device, tuple, from, to);
    }

    /// A flow was closed. Flows of a window come before its [`Observer::window_closed`].
    fn flow(&mut self, flow: Flow<Self::State>) {
        let _ = flow;
    }

    /// The trace ends, and a trace that continues it may continue this flow of a device; it is closed afterwards.
    fn left_open(&mut self, device: DeviceIndex, record: FlowRecord, state: &mut Self::State) {
        let _ = (device, record, state);
    }

    /// A flow goes on over a window's edge: what the part after the edge begins with. `state` is that of the part
    /// before, which is still to be closed.
    fn continue_flow(&mut self, state: &mut Self::State) -> Self::State {
        let _ = state;
        Self::State::default()
    }

    /// A flow of a device was to go on over an edge, but no packet came for it.
    fn abandon_flow(&mut self, device: DeviceIndex, state: Self::State) {
        let _ = (device, state);
    }

    /// Whether a cap on what states of flows hold is exceeded. Then all flows are shown to [`Observer::relieve`], those first
    /// that came first, and at the end [`Observer::relieved`] is called.
    #[inline]
    fn is_pressed(&self) -> bool {
        false
    }

    /// Lets go of what the state of a flow holds, if its device has more than its share of an exceeded cap.
    fn relieve(&mut self, device: DeviceIndex, state: &mut Self::State) {
        let _ = (device, state);
    }

    /// All flows were shown to [`Observer::relieve`].
    fn relieved(&mut self) {}

    /// A window was closed: no packet and no flow comes for it or for an earlier one any more, until the clock steps back.
    fn window_closed(&mut self, window: WindowIndex) {
        let _ = window;
    }

    /// A closed window is final: no flow can any more cover a gap that ends in it.
    fn window_final(&mut self, window: WindowIndex) {
        let _ = window;
    }

    /// A device is forgotten, and its index is given to another one: it was silent for long, or there were more devices than
    /// are remembered. The latter happens to observers that report devices at the end as well, and while windows are open;
    /// its flows are closed before.
    fn forget(&mut self, device: DeviceIndex) {
        let _ = device;
    }
}

macro_rules! tuple_observer {
    ($($name:ident . $at:tt),+) => {
        impl<$($name: Observer),+> Observer for ($($name,)+) {
            type State = ($($name::State,)+);

            const WANTS_FRAMES: bool = $($name::WANTS_FRAMES)||+;
            const FORGETS: bool = $($name::FORGETS)&&+;
            const WANTS_SILENT: bool = $($name::WANTS_SILENT)||+;
            const WANTS_OPEN: bool = $($name::WANTS_OPEN)||+;

            fn begin(&mut self, first: Timestamp) {
                $(self.$at.begin(first);)+
            }

            fn begin_segment(&mut self) {
                $(self.$at.begin_segment();)+
            }

            fn device(&mut self, device: DeviceIndex, id: DeviceId) {
                $(self.$at.device(device, id);)+
            }

            fn established(&mut self, device: DeviceIndex) {
                $(self.$at.established(device);)+
            }

            #[inline]
            fn packet(&mut self, packet: &DevicePacket<'_, '_>, state: &mut Self::State) {
                $(self.$at.packet(packet, &mut state.$at);)+
            }

            fn frame(&mut self, frame: &DeviceFrame<'_, '_>) {
                $(self.$at.frame(frame);)+
            }

            #[inline]
            fn active(&mut self, device: DeviceIndex, tuple: &FiveTuple, from: Timestamp, to: Timestamp) {
                $(self.$at.active(device, tuple, from, to);)+
            }

            fn flow(&mut self, flow: Flow<Self::State>) {
                let (flow, state) = flow.split();
                $(self.$at.flow(flow.clone().with_state(state.$at));)+
            }

            fn left_open(&mut self, device: DeviceIndex, record: FlowRecord, state: &mut Self::State) {
                $(self.$at.left_open(device, record.clone(), &mut state.$at);)+
            }

            fn continue_flow(&mut self, state: &mut Self::State) -> Self::State {
                ($(self.$at.continue_flow(&mut state.$at),)+)
            }

            fn abandon_flow(&mut self, device: DeviceIndex, state: Self::State) {
                $(self.$at.abandon_flow(device, state.$at);)+
            }

            #[inline]
            fn is_pressed(&self) -> bool {
                $(self.$at.is_pressed())||+
            }

            fn relieve(&mut self, device: DeviceIndex, state: &mut Self::State) {
                $(self.$at.relieve(device, &mut state.$at);)+
            }

            fn relieved(&mut self) {
                $(self.$at.relieved();)+
            }

            fn window_closed(&mut self, window: WindowIndex) {
                $(self.$at.window_closed(window);)+
            }

            fn window_final(&mut self, window: WindowIndex) {
                $(self.$at.window_final(window);)+
            }

            fn forget(&mut self, device: DeviceIndex) {
                $(self.$at.forget(device);)+
            }
        }
    };
}

tuple_observer!(A.0, B.1);
tuple_observer!(A.0, B.1, C.2);
tuple_observer!(A.0, B.1, C.2, D.3);
