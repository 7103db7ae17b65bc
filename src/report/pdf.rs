//! stub
use crate::report::{Error, FontSources, View};
pub(in crate::report) fn write(_view: &View, _fonts: &FontSources) -> Result<Vec<u8>, Error> {
    Err(Error::NoPdf)
}
