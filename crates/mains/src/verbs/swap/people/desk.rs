//! What a person is shown next, and what becomes of the answer.

use super::sheet::{Laid, Sheet};
use crate::print::Trouble;
use crate::verbs::swap::state::{Seat, State};
use std::collections::VecDeque;

/// What a person says of two answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Left,
    Right,
    Neither,
    /// It comes again when the others are through.
    Later,
}

impl Said {
    /// From the key that says it.
    pub(super) fn key(key: char) -> Option<Self> {
        match key {
            '1' => Some(Self::Left),
            '2' => Some(Self::Right),
            '0' => Some(Self::Neither),
            's' | 'S' => Some(Self::Later),
            _ => None,
        }
    }
}

/// Two answers without names.
pub(super) struct Shown<'d> {
    /// Names the item on the desk, and nothing else.
    pub(super) number: usize,
    pub(super) prompt: &'d str,
    pub(super) left: &'d str,
    pub(super) right: &'d str,
}

pub(super) struct Desk {
    state: State,
    sheet: Sheet,
    seats: Vec<Seat>,
    /// Numbers of the seats without a verdict, the next one first.
    open: VecDeque<usize>,
}

impl Desk {
    pub(super) fn open(state: State, sheet: Sheet) -> Result<Self, Trouble> {
        let seats: Vec<Seat> = sheet.open(&state).into_iter().cloned().collect();
        if seats.is_empty() && state.counted.is_empty() {
            return Err(Trouble::new("no item of this test is for people")
                .hint("`--people N` picks some, before their answers are known"));
        }
        let open =
            (0..seats.len()).filter(|number| !state.verdicts.contains_key(&seats[*number].item)).collect();
        Ok(Self { state, sheet, seats, open })
    }

    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// How many have a verdict, of how many.
    pub(super) fn progress(&self) -> (usize, usize) {
        (self.seats.len() - self.open.len(), self.seats.len())
    }

    pub(super) fn criteria(&self) -> &str {
        &self.sheet.criteria
    }

    pub(super) fn next(&self) -> Option<Shown<'_>> {
        let number = *self.open.front()?;
        let seat = self.seats.get(number)?;
        let Laid { prompt, old, new } = self.sheet.laid.get(&seat.item)?;
        let (left, right) = if seat.new_left { (new, old) } else { (old, new) };
        Some(Shown { number, prompt, left, right })
    }

    /// Takes what is said of the item that is shown; anything said of another one is late, and dropped.
    pub(super) fn take(&mut self, number: usize, said: Said) -> Result<(), Trouble> {
        if self.open.front() != Some(&number) {
            return Ok(());
        }
        let Some(seat) = self.seats.get(number) else { return Ok(()) };
        let verdict = match (said, seat.new_left) {
            (Said::Later, _) => {
                self.open.rotate_left(1);
                return Ok(());
            }
            (Said::Neither, _) => 1,
            (Said::Left, true) | (Said::Right, false) => 2,
            (Said::Left, false) | (Said::Right, true) => 0,
        };
        self.state.verdict(&seat.item, verdict)?;
        self.open.pop_front();
        Ok(())
    }

    /// Ends the batches: the verdicts count in the order in which the items were drawn, up to the first that has none,
    /// because a person who passes over the hard ones would choose what is counted. How many were given and count.
    pub(super) fn close(&mut self) -> Result<(usize, usize), Trouble> {
        if self.seats.is_empty() {
            return Ok((0, 0));
        }
        let has = |seat: &&Seat| self.state.verdicts.contains_key(&seat.item);
        let graded = self.seats.iter().filter(has).count();
        let counted: Vec<String> = self.seats.iter().take_while(has).map(|seat| seat.item.clone()).collect();
        let count = counted.len();
        self.state.close(counted)?;
        Ok((graded, count))
    }

    pub(super) fn parts(self) -> (State, Sheet) {
        (self.state, self.sheet)
    }
}
