//! Describes one model: parameters, dimensions, templates, findings; and what it says of itself.

use std::path::Path;

use crate::bytes::{Location, last_part};
use crate::catalog::Catalog;
use crate::disclosure;
use crate::fact::{Inspection, ModelName, Origin, SelfDescription};
use crate::lineage::unexamined::unexamined;
use crate::lineage::{Error, Model, repository_name};
use crate::remote::Reach;

/// Everything the headers and the configuration of a model tell.
pub fn inspect(model: &Model) -> Inspection {
    let blueprint = &model.blueprint;
    let mut findings = model.findings.clone();
    findings.extend(blueprint.findings());
    Inspection {
        schema: "unshell/inspect/1".into(),
        model: model.name.clone(),
        format: model.format.clone(),
        files: model.files.clone(),
        parameters: blueprint.parameters(),
        tensors: blueprint.tensors(),
        data_bytes: model.data_bytes,
        stated_bytes: model.stated_bytes,
        dtypes: blueprint.dtype_counts(),
        dimensions: blueprint.dimensions(),
        templates: blueprint.template_facts(),
        config: blueprint.config().facts(),
        findings,
        disclosure: model.disclosure(),
        unexamined: unexamined(model, None),
        cost: model.cost(),
    }
}

/// What the files at a location say of their model. Weights are not needed; of a GGUF file the header is read, too.
///
/// # Errors
/// When the place cannot be reached, or is a catalogue entry, which has no files.
pub fn disclose(location: &str, base: &Path, catalog: &Catalog, reach: &Reach) -> Result<SelfDescription, Error> {
    let parsed = Location::parse(location)?;
    let name = match &parsed {
        Location::Catalog(entry) => return Err(Error::NoFiles { name: entry.clone() }),
        Location::Hub(repository) => repository_name(repository),
        Location::Path(path) => last_part(&base.join(path)),
        Location::Web(address) => address.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned(),
    };
    let Some(found) = reach.find(parsed, base)? else { return Err(Error::NoFiles { name }) };
    let has_header = found.place.names()?.names.iter().any(|it| it.to_lowercase().ends_with(".gguf"));
    let with_header = has_header.then(|| Model::open(location, base, catalog, reach).ok()?.disclosure()).flatten();
    let model =
        ModelName { name, location: location.to_owned(), origin: Origin::Checkpoint, revision: found.commit.clone() };
    Ok(with_header.unwrap_or_else(|| disclosure::read(&*found.place, &model, None)))
}
