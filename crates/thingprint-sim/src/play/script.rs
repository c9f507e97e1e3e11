use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::World;
use super::directory::{Choice, Directory};
use super::join::Identity;
use crate::profile::{
    Connection, Crowd, Hello, Lookup, Mdns, Ntp, Ping, Presence, Profile, Ssdp, Unit, Upnp, When,
};

/// A profile made ready to be played by one device.
pub(super) struct Script {
    pub(super) presence: Presence,
    pub(super) identity: Identity,
    pub(super) directory: Directory,
    pub(super) acts: Vec<Act>,
    /// The device's `UPnP` identity with its own UUID.
    pub(super) upnp: Option<Upnp>,
    pub(super) unit: Unit,
}

/// Something that a device does, when it does it and with whom.
pub(super) struct Act {
    pub(super) task: Task,
    pub(super) when: When,
    pub(super) choice: Choice,
}

/// What is done.
pub(super) enum Task {
    Connect(Box<Connect>),
    Lookup(Lookup),
    Ntp(Ntp),
    Ssdp(Ssdp),
    Mdns(Mdns),
    Ping(Ping),
}

/// A connection with the hello that it begins with, if it begins with one.
pub(super) struct Connect {
    pub(super) connection: Connection,
    pub(super) hello: Option<Hello>,
}

impl Script {
    pub(super) fn new(profile: &Profile, unit: &Unit, world: &World) -> Self {
        let mut writer = Writer::new(profile, world);
        writer.write();
        Self {
            presence: profile.presence.clone(),
            identity: Identity::new(&profile.dhcp, unit),
            directory: writer.directory,
            acts: writer.acts,
            upnp: world.peers.get(&unit.name).and_then(|peer| peer.upnp.clone()),
            unit: unit.clone(),
        }
    }

    /// The connection that an act opens, if that is what it does.
    pub(super) fn connect(&self, act: usize) -> Option<&Connect> {
        match &self.acts.get(act)?.task {
            Task::Connect(connect) => Some(connect),
            _ => None,
        }
    }
}

struct Writer<'a> {
    profile: &'a Profile,
    world: &'a World,
    /// The names of each crowd, which several connections may choose from.
    crowds: BTreeMap<&'a str, (&'a Crowd, Vec<String>)>,
    directory: Directory,
    acts: Vec<Act>,
}

impl<'a> Writer<'a> {
    fn new(profile: &'a Profile, world: &'a World) -> Self {
        let crowds =
            profile.crowd.iter().map(|(name, crowd)| (name.as_str(), (crowd, crowd.names()))).collect();
        Self { profile, world, crowds, directory: Directory::default(), acts: Vec::new() }
    }

    fn write(&mut self) {
        let profile = self.profile;
        for connection in &profile.connection {
            let choice = self.servers_of(connection);
            let hello = connection.hello.as_ref().and_then(|name| profile.hello.get(name)).cloned();
            let connect = Connect { connection: connection.clone(), hello };
            self.add(Task::Connect(Box::new(connect)), &connection.when, choice);
        }
        for lookup in &profile.lookup {
            let choice = self.names(&lookup.names);
            self.add(Task::Lookup(lookup.clone()), &lookup.when, choice);
        }
        for ntp in &profile.ntp {
            let choice = self.names_or_address(&ntp.names, ntp.address);
            self.add(Task::Ntp(ntp.clone()), &ntp.when, choice);
        }
        for ping in &profile.ping {
            let choice = self.names_or_address(&ping.names, ping.address);
            self.add(Task::Ping(ping.clone()), &ping.when, choice);
        }
        for ssdp in &profile.ssdp {
            self.add(Task::Ssdp(ssdp.clone()), &ssdp.when, Choice::none());
        }
        for mdns in &profile.mdns {
            self.add(Task::Mdns(mdns.clone()), &mdns.when, Choice::none());
        }
    }

    fn add(&mut self, task: Task, when: &When, choice: Choice) {
        self.acts.push(Act { task, when: when.clone(), choice });
    }

    fn servers_of(&mut self, connection: &Connection) -> Choice {
        let profile = self.profile;
        let crowd = connection.crowd.as_ref().and_then(|name| self.crowds.get(name.as_str()));
        if let Some((crowd, names)) = crowd {
            return Choice::of_crowd((crowd, names), &profile.hosts, (&mut self.directory, self.world));
        }
        if let Some(peer) = &connection.peer {
            return self.directory.enter_peer(peer, self.world).map_or_else(Choice::none, Choice::single);
        }
        self.names_or_address(&connection.names, connection.address)
    }

    fn names_or_address(&mut self, names: &BTreeMap<String, f64>, address: Option<Ipv4Addr>) -> Choice {
        match address {
            Some(address) => Choice::single(self.directory.enter_address(address, self.world)),
            None => self.names(names),
        }
    }

    fn names(&mut self, names: &BTreeMap<String, f64>) -> Choice {
        Choice::of_names(names, &self.profile.hosts, (&mut self.directory, self.world))
    }
}
