//! The relay as drivers see it.

use std::time::Instant;

use oneport_link::{Input, Machine, Reason, Transmit};

use crate::{Command, Relay, Reply};

impl Machine for Relay {
    type Command = Command;
    type Reply = Reply;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) {
        self.advance(now);
        match input {
            Input::Datagram { route, bytes } => self.handle_datagram(route, bytes),
            Input::Closed { route } => self.handle_closed(route),
            Input::Timeout => self.handle_timeout(),
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command) -> Reply {
        match command {
            Command::Connect {
                room,
                offer,
                client,
                grant,
            } => Reply::Connected(self.connect(now, &room, &offer, client, grant)),
            Command::RestartIce {
                room,
                session,
                follows,
                fragment,
            } => {
                let follows = follows.as_deref();
                Reply::IceRestarted(self.restart_ice(now, &room, session, follows, fragment))
            }
            Command::Disconnect { room, session } => {
                Reply::Disconnected(self.disconnect(now, &room, session))
            }
            Command::Operate(operation) => self.operate(now, operation),
            Command::Stats => Reply::Stats(Box::new(self.stats())),
            Command::Overview => Reply::Overview(Box::new(self.overview())),
            Command::ShutDown => {
                self.shut_down(now);
                Reply::ShuttingDown
            }
        }
    }

    /// What a batch of inputs brought is looked at here, and owners are pumped once for all of it, so
    /// that messages share packets and acknowledgements.
    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.attend_fed();
        loop {
            self.pump_ready();
            match self.unsettled.pop_front() {
                Some(id) => self.settle(id),
                None => break,
            }
        }
        while let Some(&id) = self.sending.front() {
            let client = self.links.get_mut(id);
            if let Some(transmit) = client.and_then(|client| client.link.poll_transmit()) {
                return Some(transmit);
            }
            self.sending.pop_front();
            if let Some(client) = self.links.get_mut(id) {
                client.is_sending = false;
                self.settle(id);
            }
        }
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, Reason)> {
        let queues = [&self.fed, &self.sending, &self.unsettled];
        if self.hub.has_ready() || queues.iter().any(|queue| !queue.is_empty()) {
            return Some((self.now, Reason::Queued));
        }
        let link = self.deadlines.first().and_then(|(at, id)| {
            let (_, reason) = self.links.get(id)?.link.poll_timeout()?;
            Some((at, reason))
        });
        let session = self.session_deadlines.first();
        let session = session.map(|(at, _)| (at, Reason::Session));
        let expiry = (self.hub.rooms() > 0).then_some((self.expiry, Reason::Expiry));
        let shutdown = self.shutdown.filter(|_| !self.links.is_empty());
        let shutdown = shutdown.map(|down| (down.deadline(), Reason::Close));
        [link, session, expiry, shutdown]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    fn is_finished(&self) -> bool {
        self.shutdown.is_some() && self.links.is_empty()
    }
}
