//! Which characters the bytes of a file are: found from a byte-order mark or from the bytes themselves, and turned into UTF-8 on the way.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::io::{self, Read};

/// How a file's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) encoding: &'static Encoding,
    /// It begins with a byte-order mark.
    pub(super) marked: bool,
    /// Bytes that are no text in it, as far as looked at.
    pub(super) broken: bool,
}

impl Coding {
    /// For a person.
    pub(super) fn describe(&self) -> String {
        let mark = if self.marked {
            " with a byte-order mark"
        } else {
            ""
        };
        let broken = if self.broken {
            ", with bytes that are no text in it: their rows are refused"
        } else {
            ""
        };
        format!("{}{mark}{broken}", self.encoding.name())
    }
}

/// Reads the whole file once, in pieces, and says what it is. UTF-8 where it holds; where both UTF-8 and other bytes stand, whichever is
/// more; else Windows-1252, which holds Latin-1.
pub(super) fn detect(mut file: impl Read) -> io::Result<Coding> {
    let mut buffer = vec![0u8; 1 << 18];
    let (mut kept, mut first) = (0, true);
    let (mut good, mut bad) = (0u64, 0u64);
    loop {
        let read = file.read(&mut buffer[kept..])?;
        let data = &buffer[..kept + read];
        if first {
            // The mark and the shape of UTF-16 are seen in the first piece; a short first read is rare and costs only the guess.
            first = false;
            if let Some((encoding, _)) = Encoding::for_bom(data) {
                if encoding != UTF_8 {
                    return Ok(coding(encoding, true, false));
                }
                let rest = detect_utf8_only(data.get(3..).unwrap_or_default(), &mut file)?;
                return Ok(coding(UTF_8, true, rest));
            }
            if let Some(encoding) = wide(data) {
                return Ok(coding(encoding, false, false));
            }
        }
        let left = count(data, read == 0, &mut good, &mut bad);
        if read == 0 {
            break;
        }
        let from = data.len() - left;
        buffer.copy_within(from..from + left, 0);
        kept = left;
    }
    Ok(match (good, bad) {
        (_, 0) => coding(UTF_8, false, false),
        (good, bad) if good > bad => coding(UTF_8, false, true),
        _ => coding(WINDOWS_1252, false, false),
    })
}

fn coding(encoding: &'static Encoding, marked: bool, broken: bool) -> Coding {
    Coding {
        encoding,
        marked,
        broken,
    }
}

/// Whether what is said to be UTF-8 has bytes that are not.
fn detect_utf8_only(data: &[u8], file: &mut impl Read) -> io::Result<bool> {
    let mut buffer = data.to_vec();
    let (mut good, mut bad) = (0, 0);
    loop {
        let kept = count(&buffer, false, &mut good, &mut bad);
        buffer.drain(..buffer.len() - kept);
        let before = buffer.len();
        file.by_ref().take(1 << 18).read_to_end(&mut buffer)?;
        if buffer.len() == before {
            count(&buffer, true, &mut good, &mut bad);
            return Ok(bad > 0);
        }
    }
}

/// Counts characters beyond ASCII and bytes that are none; how many bytes at the end may be the beginning of one.
fn count(mut data: &[u8], end: bool, good: &mut u64, bad: &mut u64) -> usize {
    loop {
        match std::str::from_utf8(data) {
            Ok(text) => {
                *good += beyond_ascii(text);
                return 0;
            }
            Err(e) => {
                let (valid, rest) = data.split_at(e.valid_up_to());
                *good += std::str::from_utf8(valid).map_or(0, beyond_ascii);
                match e.error_len() {
                    Some(len) => {
                        *bad += 1;
                        data = &rest[len.min(rest.len())..];
                    }
                    None if end => {
                        *bad += 1;
                        return 0;
                    }
                    None => return rest.len(),
                }
            }
        }
    }
}

fn beyond_ascii(text: &str) -> u64 {
    if text.is_ascii() {
        return 0;
    }
    text.bytes().filter(|b| *b >= 0xC0).count() as u64
}

/// UTF-16 without a mark: in plain text every other byte is zero.
fn wide(data: &[u8]) -> Option<&'static Encoding> {
    let data = &data[..data.len().min(4_096)];
    if data.len() < 4 {
        return None;
    }
    let zeros = |odd: usize| {
        data.iter()
            .skip(odd)
            .step_by(2)
            .filter(|b| **b == 0)
            .count()
    };
    let (even, odd, half) = (zeros(0), zeros(1), data.len() / 2);
    if odd * 10 > half * 7 && even * 10 < half {
        Some(UTF_16LE)
    } else if even * 10 > half * 7 && odd * 10 < half {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// Bytes of any encoding as UTF-8. What is no text comes out as the byte 0xFF, which is none in UTF-8 either, so that only its row suffers.
pub(super) struct Utf8<R> {
    inner: R,
    /// None: the bytes are UTF-8 already.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
    done: bool,
    /// Decoded bytes that did not fit.
    spare: Vec<u8>,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(inner: R, coding: Coding) -> Utf8<R> {
        Utf8 {
            inner,
            // A decoder takes the byte-order mark off, if it is its own.
            decoder: (coding.encoding != UTF_8)
                .then(|| coding.encoding.new_decoder_with_bom_removal()),
            raw: vec![0; 1 << 16],
            from: 0,
            to: 0,
            ended: false,
            done: false,
            spare: Vec::new(),
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            return self.inner.read(out);
        };
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.spare.is_empty() {
                let n = self.spare.len().min(out.len());
                out[..n].copy_from_slice(&self.spare[..n]);
                self.spare.drain(..n);
                return Ok(n);
            }
            if self.done {
                return Ok(0);
            }
            if self.from == self.to && !self.ended {
                self.to = self.inner.read(&mut self.raw)?;
                self.from = 0;
                self.ended = self.to == 0;
            }
            let mut buffer = [0u8; 1 << 12];
            let (result, read, written) = decoder.decode_to_utf8_without_replacement(
                &self.raw[self.from..self.to],
                &mut buffer,
                self.ended,
            );
            self.from += read;
            self.spare.extend_from_slice(&buffer[..written]);
            match result {
                DecoderResult::Malformed(..) => self.spare.push(0xFF),
                DecoderResult::InputEmpty => self.done = self.ended,
                DecoderResult::OutputFull => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> String {
        detect(bytes).expect("read").describe()
    }
    fn text(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Utf8::new(bytes, detect(bytes).expect("read"))
            .read_to_end(&mut out)
            .expect("read");
        out
    }

    #[test]
    fn bytes_tell_their_encoding() {
        assert_eq!(told("name\nMüller\n".as_bytes()), "UTF-8");
        assert_eq!(told(b"\xEF\xBB\xBFname\n"), "UTF-8 with a byte-order mark");
        assert_eq!(told(b"name\nM\xFCller\n"), "windows-1252");
        assert_eq!(
            text(b"name\nM\xFCller \x80\n"),
            "name\nMüller €\n".as_bytes()
        );
        let wide: Vec<u8> = "name\nMüller\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(told(&wide), "UTF-16LE");
        assert_eq!(text(&wide), "name\nMüller\n".as_bytes());
        let mut marked = vec![0xFE, 0xFF];
        marked.extend("name\n".encode_utf16().flat_map(u16::to_be_bytes));
        assert_eq!(told(&marked), "UTF-16BE with a byte-order mark");
        assert_eq!(text(&marked), b"name\n");
    }

    #[test]
    fn a_few_broken_bytes_do_not_make_a_file_of_another_encoding() {
        let mut bytes = "Grün, Łódź, 株式会社\n".as_bytes().to_vec();
        bytes.extend(b"M\xFCller\n");
        assert!(told(&bytes).starts_with("UTF-8, with bytes"));
        // A character cut by the end of a piece is none that is broken.
        let long = "ä".repeat(200_000);
        assert_eq!(told(long.as_bytes()), "UTF-8");
        assert_eq!(
            told(&long.as_bytes()[1..]),
            "UTF-8, with bytes that are no text in it: their rows are refused"
        );
    }
}
