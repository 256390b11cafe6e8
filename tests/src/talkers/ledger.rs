//! Who said what, what the relay answered, and who heard it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Figures;

/// What became of a message, as its speaker was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Nothing yet.
    Open,
    /// The relay has it.
    Taken,
    /// Nobody knows: the session was lost.
    Unknown,
    /// It was never sent: as much waits as may.
    NotSent,
}

struct Said {
    at: Duration,
    answer: Answer,
}

/// What one member heard and was told.
#[derive(Default)]
struct Hearer {
    /// How often it heard each message, by speaker and number.
    times: BTreeMap<(usize, usize), u32>,
    /// When the latest message that it heard was said, by speaker.
    latest: BTreeMap<usize, Duration>,
    /// When it was last told that what it missed does not follow.
    not_recovered: Option<Duration>,
}

/// The account of a group of members, numbered from 0. Times count from one beginning.
pub(super) struct Ledger {
    said: Vec<Vec<Said>>,
    hearers: Vec<Hearer>,
    delays: Vec<Duration>,
    links_lost: usize,
    contradictions: usize,
    failures: Vec<String>,
}

impl Ledger {
    pub(super) fn new(members: usize) -> Self {
        Self {
            said: (0..members).map(|_| Vec::new()).collect(),
            hearers: (0..members).map(|_| Hearer::default()).collect(),
            delays: Vec::new(),
            links_lost: 0,
            contradictions: 0,
            failures: Vec::new(),
        }
    }

    /// Takes down a message, and gives it its number.
    pub(super) fn say(&mut self, speaker: usize, at: Duration) -> usize {
        let answer = Answer::Open;
        self.said[speaker].push(Said { at, answer });
        self.said[speaker].len() - 1
    }

    pub(super) fn answered(&mut self, speaker: usize, number: usize, answer: Answer) {
        let said = &mut self.said[speaker][number];
        // One answer, and it is final.
        self.contradictions += usize::from(said.answer != Answer::Open);
        said.answer = answer;
    }

    pub(super) fn heard(&mut self, hearer: usize, speaker: usize, number: usize, at: Duration) {
        let said_at = self.said[speaker][number].at;
        let hearer = &mut self.hearers[hearer];
        *hearer.times.entry((speaker, number)).or_default() += 1;
        let latest = hearer.latest.entry(speaker).or_default();
        *latest = said_at.max(*latest);
        self.delays.push(at.saturating_sub(said_at));
    }

    pub(super) fn not_recovered(&mut self, hearer: usize, at: Duration) {
        self.hearers[hearer].not_recovered = Some(at);
    }

    pub(super) fn link_lost(&mut self) {
        self.links_lost += 1;
    }

    pub(super) fn failed(&mut self, what: String) {
        self.failures.push(what);
    }

    /// How many members were told that what they missed does not follow.
    pub(super) fn not_recovered_members(&self) -> usize {
        let told = |hearer: &&Hearer| hearer.not_recovered.is_some();
        self.hearers.iter().filter(told).count()
    }

    /// Whether everybody has heard each of the others say something after this moment.
    pub(super) fn all_heard_since(&self, since: Duration) -> bool {
        let others = self.hearers.len() - 1;
        self.hearers.iter().all(|hearer| {
            let recent = hearer.latest.values().filter(|latest| **latest >= since);
            recent.count() == others
        })
    }

    /// Whether nothing can change any more: every message is answered, and nobody misses one.
    pub(super) fn is_settled(&self) -> bool {
        let open = |said: &Said| said.answer == Answer::Open;
        !self.said.iter().flatten().any(open) && self.lost() == 0
    }

    /// Messages that the relay has taken, once for each member who did not hear them and was not
    /// told so.
    fn lost(&self) -> usize {
        let mut lost = 0;
        for (number, hearer) in self.hearers.iter().enumerate() {
            for (speaker, said) in self.said.iter().enumerate() {
                if speaker == number {
                    continue;
                }
                let missing = |(index, said): &(usize, &Said)| {
                    said.answer == Answer::Taken
                        && hearer.not_recovered.is_none_or(|told| told < said.at)
                        && !hearer.times.contains_key(&(speaker, *index))
                };
                lost += said.iter().enumerate().filter(missing).count();
            }
        }
        lost
    }

    pub(super) fn figures(&self) -> Figures {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let at = |share: f64| {
            let index = (delays.len() as f64 * share) as usize;
            let last = delays.len().saturating_sub(1);
            delays.get(index.min(last)).copied().unwrap_or_default()
        };
        let all = self.hearers.iter().flat_map(|hearer| hearer.times.values());
        let unknown = |said: &&Said| said.answer == Answer::Unknown;
        Figures {
            said: self.said.iter().map(Vec::len).sum(),
            heard: all.clone().count(),
            lost: self.lost(),
            doubled: all.filter(|times| **times > 1).count(),
            unknown: self.said.iter().flatten().filter(unknown).count(),
            contradictions: self.contradictions,
            not_recovered: self.not_recovered_members(),
            links_lost: self.links_lost,
            median: at(0.5),
            p99: at(0.99),
            worst: at(1.0),
            failures: self.failures.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn what_is_taken_and_not_heard_is_lost_unless_told() {
        let mut ledger = Ledger::new(2);
        let number = ledger.say(0, T(1));
        assert!(!ledger.is_settled());
        ledger.answered(0, number, Answer::Taken);
        assert_eq!(ledger.figures().lost, 1);
        ledger.not_recovered(1, T(2));
        assert!(ledger.is_settled());
        let later = ledger.say(0, T(3));
        ledger.answered(0, later, Answer::Taken);
        assert_eq!(ledger.figures().lost, 1);
        ledger.heard(1, 0, later, T(4));
        ledger.heard(1, 0, later, T(5));
        let figures = ledger.figures();
        assert_eq!((figures.lost, figures.doubled), (0, 1));
        assert_eq!(figures.worst, T(2));
    }

    #[test]
    fn an_answer_is_final() {
        let mut ledger = Ledger::new(2);
        let number = ledger.say(0, T(1));
        ledger.answered(0, number, Answer::Taken);
        ledger.answered(0, number, Answer::Unknown);
        assert_eq!(ledger.figures().contradictions, 1);
    }

    #[test]
    fn all_have_heard_all() {
        let mut ledger = Ledger::new(2);
        let number = ledger.say(0, T(3));
        ledger.heard(1, 0, number, T(4));
        assert!(!ledger.all_heard_since(T(2)));
        let number = ledger.say(1, T(3));
        ledger.heard(0, 1, number, T(4));
        assert!(ledger.all_heard_since(T(2)));
        assert!(!ledger.all_heard_since(T(4)));
    }
}
