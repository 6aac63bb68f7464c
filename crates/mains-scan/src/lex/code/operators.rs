//! What brackets, commas, colons, equals signs and question marks say of the literals around them.

use super::{DEPTH_MAX, Frame, Lexer};
use crate::lex::Piece;

impl Lexer<'_> {
    pub(super) fn open(&mut self, byte: u8) {
        let last = self.last;
        if self.frames.len() >= DEPTH_MAX {
            return;
        }
        let frame = self.frame();
        let called = byte != b'[' && frame.chain_piece.is_none() && last != b',';
        let callee = frame.chain.filter(|_| called);
        frame.chain = None;
        frame.chain_piece = None;
        self.frames.push(Frame { open: byte, callee, ..Frame::default() });
    }

    fn close(&mut self, base: usize) {
        if self.frames.len() <= base {
            return;
        }
        let closed = self.frames.pop();
        let frame = self.frame();
        frame.closed_first_text = closed.and_then(|closed| closed.first_text);
        frame.chain = None;
        frame.chain_piece = None;
    }

    fn mark_last(&mut self, mark: impl Fn(&mut Piece)) {
        let index = self.frame().chain_piece;
        if let Some(piece) = index.and_then(|index| self.pieces.get_mut(index)) {
            mark(piece);
        }
    }

    /// The chain names the key of what follows.
    fn at_key(&mut self, typed: bool) {
        let frame = self.frame();
        if frame.chain.is_some() {
            frame.key = frame.chain.take();
            frame.typed = typed;
            frame.chain_piece = None;
        }
    }

    fn at_comparison(&mut self) {
        self.mark_last(|piece| piece.compared = true);
        let frame = self.frame();
        frame.compared = true;
        frame.chain = None;
        frame.chain_piece = None;
    }

    pub(super) fn operator(&mut self, byte: u8, base: usize) {
        match byte {
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(base),
            b',' | b';' => self.frame().next_element(),
            b':' => self.at_colon(),
            b'=' => self.at_equals(),
            b'!' if self.peek(1) == b'=' => {
                self.at_comparison();
                self.at += if self.peek(2) == b'=' { 2 } else { 1 };
            }
            b'<' | b'>' if self.peek(1) == b'=' => self.at += 1,
            b'?' => self.at_question(),
            b'|' if self.peek(1) == b'|' => {
                self.at_fallback();
                self.at += 1;
            }
            b'|' => {
                self.mark_last(|piece| piece.listed = true);
                self.frame().union = true;
            }
            // A path goes on: `a.b`, `a->b`, `println!(`, `Map<T>(`.
            b'.' | b'-' | b'>' | b'<' | b'!' | b'&' => {}
            _ => {
                let frame = self.frame();
                frame.chain = None;
                frame.chain_piece = None;
            }
        }
    }

    fn at_colon(&mut self) {
        if self.peek(1) == b':' {
            self.at += 1;
        } else if self.peek(1) == b'=' {
            self.at_key(false);
            self.at += 1;
        } else if self.frame().conditionals > 0 {
            self.frame().conditionals -= 1;
        } else {
            self.mark_last(|piece| piece.listed = true);
            self.at_key(true);
        }
    }

    fn at_equals(&mut self) {
        if self.peek(1) == b'=' {
            self.at_comparison();
            self.at += if self.peek(2) == b'=' { 2 } else { 1 };
        } else if self.peek(1) == b'>' {
            self.mark_last(|piece| piece.listed = true);
            self.at_key(false);
            self.at += 1;
        } else if self.frame().typed {
            self.frame().chain = None;
            self.frame().typed = false;
        } else {
            self.at_key(false);
        }
    }

    fn at_question(&mut self) {
        let after_name = self.at > 0 && self.text[self.at - 1].is_ascii_alphanumeric();
        match self.peek(1) {
            b'.' => {}
            b':' if after_name => {}
            b'?' | b':' => {
                self.at_fallback();
                self.at += 1;
            }
            _ => self.frame().conditionals += 1,
        }
    }
}
