//! Text that others chose, made safe to print: on a terminal, and in a log that somebody reads on one.

use std::borrow::Cow;

/// Returns the text with U+FFFD in the place of every character that a terminal may act on or that is
/// invisible: controls (Unicode category Cc, which begin escape sequences), format characters (Cf: bidi
/// controls, zero-width characters, tags), line and paragraph separators, and letters that have no
/// glyph. They are replaced and not removed, so that a text that contains them does not look like one
/// that does not. A tab becomes a space.
///
/// The joiners U+200C and U+200D stay where they shape what is beside them: within words of scripts
/// that need them, and within emoji.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    replaced(text, is_unsafe)
}

/// [`printable`], but for line ends: for records of the log, which indents continuation lines.
pub(crate) fn printable_lines(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c != '\n' && is_unsafe(c))
}

fn replaced(text: &str, is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_unsafe) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len());
    let mut before = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let is_shaping = is_joiner(c) && joins(before, chars.clone().next());
        safe.push(match c {
            '\t' => ' ',
            c if is_unsafe(c) && !is_shaping => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        before = Some(c);
    }
    safe.into()
}

fn is_unsafe(c: char) -> bool {
    !c.is_ascii_graphic()
        && c != ' '
        && (c.is_control()
            || INVISIBLE
                .iter()
                .any(|&(first, last)| (first..=last).contains(&c)))
}

/// Returns whether a character only selects the glyph of the one before it.
pub(crate) fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// ZERO WIDTH NON-JOINER and ZERO WIDTH JOINER.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Returns whether a joiner between these two shapes them. Latin, Greek, Cyrillic, Armenian and Hebrew
/// letters, digits and punctuation do not join, and there it would only be invisible. At the end of a
/// word, some scripts of India need it after a virama.
fn joins(before: Option<char>, after: Option<char>) -> bool {
    const FIRST: char = '\u{600}';
    let is_shaped = |c: char| {
        c >= FIRST
            && !('\u{1e00}'..='\u{218f}').contains(&c)
            && !c.is_whitespace()
            && !is_unsafe(c)
            && c != char::REPLACEMENT_CHARACTER
    };
    let is_indic = |c: char| ('\u{900}'..='\u{dff}').contains(&c);
    before.is_some_and(|c| is_shaped(c) && (after.is_some_and(is_shaped) || is_indic(c)))
}

/// Category Cf of Unicode 17.0 (DerivedGeneralCategory.txt), Zl and Zp, and what else has no glyph
/// (Default_Ignorable_Code_Point in DerivedCoreProperties.txt, BRAILLE PATTERN BLANK), but for variation
/// selectors, which change the glyph before them. In ascending order.
const INVISIBLE: [(char, char); 27] = [
    ('\u{ad}', '\u{ad}'),       // soft hyphen
    ('\u{34f}', '\u{34f}'),     // combining grapheme joiner
    ('\u{600}', '\u{605}'),     // signs around Arabic numbers
    ('\u{61c}', '\u{61c}'),     // Arabic letter mark
    ('\u{6dd}', '\u{6dd}'),     // end of ayah
    ('\u{70f}', '\u{70f}'),     // Syriac abbreviation mark
    ('\u{890}', '\u{891}'),     // signs around Arabic numbers
    ('\u{8e2}', '\u{8e2}'),     // disputed end of ayah
    ('\u{115f}', '\u{1160}'),   // Hangul fillers
    ('\u{17b4}', '\u{17b5}'),   // Khmer inherent vowels
    ('\u{180e}', '\u{180e}'),   // Mongolian vowel separator
    ('\u{200b}', '\u{200f}'),   // zero-width space, joiners, left-to-right and right-to-left mark
    ('\u{2028}', '\u{202e}'),   // line and paragraph separator, embeddings and overrides
    ('\u{2060}', '\u{206f}'),   // word joiner, invisible operators, isolates
    ('\u{2800}', '\u{2800}'),   // Braille blank
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{feff}', '\u{feff}'),   // zero-width no-break space
    ('\u{ffa0}', '\u{ffa0}'),   // halfwidth Hangul filler
    ('\u{fff0}', '\u{fffb}'),   // interlinear annotation
    ('\u{110bd}', '\u{110bd}'), // Kaithi number sign
    ('\u{110cd}', '\u{110cd}'), // Kaithi number sign above
    ('\u{13430}', '\u{1343f}'), // Egyptian hieroglyph format controls
    ('\u{1bca0}', '\u{1bca3}'), // shorthand format controls
    ('\u{1d159}', '\u{1d159}'), // null notehead
    ('\u{1d173}', '\u{1d17a}'), // musical beams and slurs
    ('\u{e0000}', '\u{e00ff}'), // tags
    ('\u{e01f0}', '\u{e0fff}'), // reserved, ignorable
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_cannot_be_seen_is_replaced() {
        for (text, expected) in [
            ("a\tb\x1b[2J\u{9b}", "a b\u{fffd}[2J\u{fffd}"),
            ("\x1b]0;title\x07", "\u{fffd}]0;title\u{fffd}"),
            (
                "a\nb\rc\u{85}d\u{b}e\u{c}f",
                "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f",
            ),
            ("\u{202e}evil\u{202c}", "\u{fffd}evil\u{fffd}"),
            ("\u{2067}a\u{2069}", "\u{fffd}a\u{fffd}"),
            ("ad\u{200b}a", "ad\u{fffd}a"),
            ("\u{feff}ada", "\u{fffd}ada"),
            ("a\u{2028}b\u{2029}", "a\u{fffd}b\u{fffd}"),
            ("x\u{e0041}\u{e007f}", "x\u{fffd}\u{fffd}"),
            ("\u{3164}\u{2800}", "\u{fffd}\u{fffd}"),
            ("\0\u{7f}", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn all_of_the_kind() {
        let bidi = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
        let marks = [
            '\u{61c}', '\u{200e}', '\u{200f}', '\u{ad}', '\u{180e}', '\u{2060}',
        ];
        let tags = '\u{e0001}'..='\u{e007f}';
        let controls = ('\0'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
        for c in bidi.chain(marks).chain(tags).chain(controls) {
            let shown = printable(&format!("a{c}b")).into_owned();
            assert!(!shown.contains(c) && shown.len() > 2, "{c:?}");
        }
        let is_ascending = |pair: &[(char, char)]| pair[0].1 < pair[1].0;
        assert!(INVISIBLE.windows(2).all(is_ascending));
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in [
            "",
            "hello, world ~",
            "Grüße, Ελληνικά, кириллица, עברית, العربية, 中文, ไทย",
            "e\u{301} \u{a0} \u{3000} \u{2013} \u{2026}",
            "\u{1f600} \u{2764}\u{fe0f} 1\u{fe0f}\u{20e3} \u{1f1e9}\u{1f1ea}",
            // Joined emoji: a family, an astronaut with a skin tone, a flag, a heart on fire.
            "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}",
            "\u{1f469}\u{1f3fd}\u{200d}\u{1f680}",
            "\u{1f3f3}\u{fe0f}\u{200d}\u{26a7}\u{fe0f}",
            "\u{2764}\u{fe0f}\u{200d}\u{1f525}",
            // Persian, Sinhala, and the old form of a Malayalam chillu at the end of a word.
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{dc1}\u{dca}\u{200d}\u{dbb}\u{dd3}",
            "\u{d28}\u{d4d}\u{200d}",
        ] {
            assert_eq!(printable(text), text);
        }
    }

    #[test]
    fn joiners_that_join_nothing_are_replaced() {
        for text in [
            "\u{200d}",
            "ad\u{200d}a",
            "ad\u{200c}a",
            "ada\u{200d}",
            "\u{200c}\u{1f600}",
            "\u{1f600}\u{200d}",
            "\u{1f600}\u{200d}a",
            "\u{1f600}\u{200d}\u{200d}\u{1f600}",
            "\u{645} \u{200c}\u{62e}",
            "\u{2013}\u{200d}\u{2013}",
        ] {
            let shown = printable(text);
            assert!(!shown.contains(is_joiner), "{text:?}: {shown:?}");
        }
    }

    #[test]
    fn lines_of_a_log() {
        assert_eq!(printable_lines("a\nb\r\u{202e}"), "a\nb\u{fffd}\u{fffd}");
        assert!(matches!(printable_lines("a\nb"), Cow::Borrowed(_)));
    }
}
