//! Names of models and of people as they are compared: what stays of a name however it is written.

/// Letters and digits in lower case, in their order.
pub fn letters(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The last part of a path, of `ORG/NAME` or of `hf:ORG/NAME`; the whole where there is no other part.
pub fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\', ':']).find(|it| !it.is_empty()).unwrap_or(name)
}

/// The letters that the last part of a name begins with, in lower case: the word of its family.
pub fn stem(name: &str) -> String {
    last_part(name).chars().take_while(|it| it.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_one() {
        assert_eq!(letters("Example-Labs"), letters("example labs"));
        assert_ne!(letters("example labs"), letters("sample labs"));
        assert_eq!(letters("北辰 智能"), "北辰智能");
    }

    #[test]
    fn the_last_part_is_what_a_model_is_called() {
        for place in ["hf:org/Llama-2-7b", "../models/Llama-2-7b/", "C:\\models\\Llama-2-7b", "Llama-2-7b"] {
            assert_eq!((last_part(place), stem(place).as_str()), ("Llama-2-7b", "llama"), "{place}");
        }
        assert_eq!((last_part(""), last_part("/")), ("", "/"));
    }
}
