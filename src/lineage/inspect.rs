//! Describes one model: parameters, dimensions, templates, findings.

use crate::fact::Inspection;
use crate::lineage::Model;
use crate::lineage::unexamined::unexamined;

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
        unexamined: unexamined(model, None),
        cost: model.cost(),
    }
}
