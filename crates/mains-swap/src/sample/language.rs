//! A guess at the language of a text: enough to divide traffic, and no more.
//!
//! The script decides where one language dominates it; Latin text is told by its commonest words. Short Latin
//! texts, code, and languages that are not listed are `unknown`; Cyrillic, Arabic and Devanagari text is named by
//! its script, because several languages share each.

/// Function words that hardly occur in the other languages of this list.
const WORDS: &[(&str, &[&str])] = &[
    ("en", &["the", "and", "is", "of", "to", "that", "with", "this", "what", "for", "are", "how"]),
    ("de", &["der", "die", "und", "das", "ist", "nicht", "mit", "den", "ein", "eine", "wie", "auf", "für"]),
    ("fr", &["le", "les", "des", "est", "et", "une", "dans", "pour", "que", "vous", "je", "pas", "du"]),
    ("es", &["el", "los", "las", "es", "una", "por", "para", "con", "del", "qué", "cómo", "y", "su"]),
    ("it", &["il", "di", "che", "è", "per", "gli", "della", "sono", "non", "come", "nel", "una"]),
    ("pt", &["o", "os", "uma", "não", "para", "com", "do", "da", "em", "você", "são", "ao"]),
    ("nl", &["het", "een", "en", "van", "niet", "dat", "zijn", "voor", "op", "met", "hoe", "ik"]),
];

/// The language's code, a script's name, or `unknown`. Only the first 2,000 characters are looked at.
pub fn language(text: &str) -> &'static str {
    let head: String = text.chars().take(2_000).collect();
    let letters = head.chars().filter(|c| c.is_alphabetic()).count();
    if letters == 0 {
        return "unknown";
    }
    let share = |inside: &dyn Fn(char) -> bool| head.chars().filter(|c| inside(*c)).count() * 5 >= letters;
    // Japanese mixes kana with the characters that Chinese is written in, so it is looked for first.
    let scripts: [(&str, &dyn Fn(char) -> bool); 9] = [
        ("ja", &|c| ('\u{3040}'..='\u{30ff}').contains(&c)),
        ("ko", &|c| ('\u{ac00}'..='\u{d7a3}').contains(&c)),
        ("zh", &|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
        ("cyrillic", &|c| ('\u{400}'..='\u{4ff}').contains(&c)),
        ("arabic", &|c| ('\u{600}'..='\u{6ff}').contains(&c)),
        ("devanagari", &|c| ('\u{900}'..='\u{97f}').contains(&c)),
        ("he", &|c| ('\u{590}'..='\u{5ff}').contains(&c)),
        ("el", &|c| ('\u{370}'..='\u{3ff}').contains(&c)),
        ("th", &|c| ('\u{e00}'..='\u{e7f}').contains(&c)),
    ];
    if let Some((name, _)) = scripts.iter().find(|(_, inside)| share(inside)) {
        return name;
    }
    latin(&head.to_lowercase())
}

fn latin(text: &str) -> &'static str {
    let mut hits = [0usize; WORDS.len()];
    for word in text.split(|c: char| !c.is_alphabetic()) {
        for (hits, (_, words)) in hits.iter_mut().zip(WORDS) {
            *hits += usize::from(words.contains(&word));
        }
    }
    let best = (0..WORDS.len()).max_by_key(|i| hits[*i]).unwrap_or(0);
    let tied = hits.iter().filter(|other| **other == hits[best]).count() > 1;
    if hits[best] < 2 || tied { "unknown" } else { WORDS[best].0 }
}
