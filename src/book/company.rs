//! What companies are called, made comparable: their own internet domain and the core of their name.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Mail hosts and page builders that say nothing about whose company it is.
const SHARED_DOMAINS: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "me.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "web.de",
    "proton.me",
    "protonmail.com",
    "mail.ru",
    "qq.com",
    "163.com",
    "example.com",
    "facebook.com",
    "linkedin.com",
    "sites.google.com",
];

/// Words at the end of a company's name that tell its legal form and not which company it is.
const LEGAL_FORMS: &[&str] = &[
    "inc",
    "incorporated",
    "corp",
    "corporation",
    "co",
    "company",
    "llc",
    "llp",
    "ltd",
    "limited",
    "plc",
    "gmbh",
    "ag",
    "kg",
    "se",
    "sa",
    "sas",
    "sarl",
    "bv",
    "nv",
    "ab",
    "as",
    "oy",
    "spa",
    "srl",
    "pty",
    "kk",
];

/// A company's own domain: lower case, without protocol, path and `www.`; nothing for hosts that many companies share.
pub fn own_domain(text: &str) -> Option<String> {
    host(text).filter(|host| !is_shared(host))
}

/// A host: lower case, without protocol, path and `www.`; nothing where there is no point in it.
pub fn host(text: &str) -> Option<String> {
    let text = text.to_lowercase();
    let text = text
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or("");
    let host = host
        .trim_start_matches("www.")
        .trim_end_matches('.')
        .to_owned();
    host.contains('.').then_some(host)
}

/// Whether a host is known as one that many companies share.
pub fn is_shared(host: &str) -> bool {
    SHARED_DOMAINS.contains(&host)
}

/// A company's name without its legal form, marks and doubled blanks: two spellings of one name are the same.
pub fn core_name(name: &str) -> String {
    let plain: String = name
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    while words.len() > 1 && words.last().is_some_and(|w| LEGAL_FORMS.contains(w)) {
        words.pop();
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_have_one_core_and_shared_hosts_no_domain() {
        assert_eq!(core_name("Müller & Söhne GmbH"), "muller sohne");
        assert_eq!(core_name("MULLER  Söhne"), core_name("Müller, Söhne Ltd."));
        assert_eq!(core_name("Co"), "co");
        assert_eq!(
            own_domain("https://www.Acme.io/about").as_deref(),
            Some("acme.io")
        );
        assert_eq!(own_domain("gmail.com"), None);
        assert_eq!(own_domain("acme"), None);
    }
}
