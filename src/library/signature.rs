//! Ed25519 signatures of a library's digest: whose library it is, and that nobody changed it on the way.

use std::path::Path;

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::bytes::{self, from_hex, hex};
use crate::library::Error;

/// A private key of PKCS#8 is some hundred bytes.
const KEY_FILE: u64 = 16 << 10;

/// What is signed begins with this, so that a signature of something else is never one of a library.
const CONTEXT: &str = "unshell library\n";

/// A private key.
pub struct PrivateKey(Ed25519KeyPair);

/// A public key: 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// A signature with the key that it was made by, both in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// `ed25519`.
    pub algorithm: String,
    /// The public key.
    pub key: String,
    /// The signature.
    pub signature: String,
}

impl PrivateKey {
    /// Reads a PKCS#8 file.
    ///
    /// # Errors
    /// A file that cannot be read or holds no such key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Key { name: path.display().to_string(), reason };
        let bytes = bytes::read_whole(path, KEY_FILE)?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes)
            .map_err(|it| wrong(format!("it is no Ed25519 key in PKCS#8: {it}")))?;
        Ok(Self(pair))
    }

    /// Signs a digest.
    pub fn sign(&self, digest: &str) -> Signature {
        let signature = self.0.sign(format!("{CONTEXT}{digest}").as_bytes());
        Signature {
            algorithm: "ed25519".to_owned(),
            key: hex(self.0.public_key().as_ref()),
            signature: hex(signature.as_ref()),
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("PrivateKey(…)")
    }
}

impl PublicKey {
    /// A key of 64 hexadecimal digits.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = from_hex(text.trim()).and_then(|it| <[u8; 32]>::try_from(it).ok());
        let wrong = || Error::Key {
            name: bytes::shown(text),
            reason: "it is no public key of 64 hexadecimal digits".to_owned(),
        };
        bytes.map(Self).ok_or_else(wrong)
    }
}

impl Signature {
    /// Whether it is this key's, and of this digest.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, digest: &str, expected: Option<&PublicKey>) -> Result<(), String> {
        let key = PublicKey::parse(&self.key).map_err(|_| "its signature names no public key".to_owned())?;
        if let Some(expected) = expected.filter(|it| **it != key) {
            return Err(format!("it is signed by the key {}, expected {}", hex(&key.0), hex(&expected.0)));
        }
        let signature = from_hex(&self.signature).filter(|_| self.algorithm == "ed25519").unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, key.0)
            .verify(format!("{CONTEXT}{digest}").as_bytes(), &signature)
            .map_err(|_| "its signature is not one of its digest".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    #[test]
    fn a_signature_is_of_one_digest_by_one_key() {
        let signature = key(1).sign("abc");
        let public = PublicKey::parse(&signature.key).unwrap();
        assert_eq!(signature.check("abc", Some(&public)), Ok(()));
        assert!(signature.check("abd", None).unwrap_err().contains("not one of its digest"));
        let other = PublicKey::parse(&key(2).sign("abc").key).unwrap();
        assert!(signature.check("abc", Some(&other)).unwrap_err().contains("expected"));
        let forged = Signature { key: key(2).sign("x").key, ..signature };
        assert!(forged.check("abc", None).is_err());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "zz", &"a".repeat(63), &"a".repeat(66)] {
            assert!(PublicKey::parse(text).is_err(), "{text}");
        }
    }
}
