//! A tower beside the language model, such as a vision encoder, as a model of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::normalise::{component, tower_prefix};
use crate::blueprint::part::Component;
use crate::blueprint::placed::{indices, placed_name};
use crate::blueprint::{Blueprint, Config, Template};

/// Where a configuration keeps what belongs to a tower, tried in this order, by what the tower's word has in it.
const CONFIGS: &[(&[&str], &[&str])] = &[
    (&["vis", "vit", "image", "vpm"], &["vision_config", "visual", "vit_config", "vision_tower_config"]),
    (&["audio", "speech", "apm"], &["audio_config", "audio_encoder_config", "speech_config"]),
];

/// One tower.
#[derive(Clone, Debug, PartialEq)]
pub struct Tower {
    /// The words for it in the names of its tensors, e.g. `vision_tower.vision_model`.
    pub word: String,
    /// What it is built like, its tensors named as those of a model that stands by itself.
    pub blueprint: Blueprint,
    /// The tensors as the model names them, by the names that the blueprint has.
    pub names: BTreeMap<String, String>,
}

impl Blueprint {
    /// The towers that have layers, by their words.
    pub fn towers(&self) -> Vec<Tower> {
        let words: BTreeSet<String> =
            self.templates.iter().filter(|it| !it.layers.is_empty()).filter_map(|it| word(&it.name)).collect();
        words.into_iter().map(|word| self.tower(word)).collect()
    }

    fn tower(&self, word_of_it: String) -> Tower {
        let (mut names, mut templates) = (BTreeMap::new(), Vec::new());
        for it in self.templates.iter().filter(|it| word(&it.name).as_ref() == Some(&word_of_it)) {
            let own = it.name[tower_prefix(&it.name)..].to_owned();
            let of_it: BTreeMap<String, String> = each(it)
                .map(|(layer, expert)| (placed_name(&own, layer, expert), placed_name(&it.name, layer, expert)))
                .collect();
            // Of names that differ in what stands before the tower alone, the first.
            if of_it.keys().all(|it| !names.contains_key(it)) {
                names.extend(of_it);
                templates.push(Template { name: own, ..it.clone() });
            }
        }
        let config = self.tower_config(&word_of_it);
        Tower { blueprint: Self::from_templates(templates, config), word: word_of_it, names }
    }

    fn tower_config(&self, word: &str) -> Config {
        let fields = CONFIGS.iter().filter(|it| it.0.iter().any(|part| word.contains(part))).flat_map(|it| it.1);
        let nested = fields.filter_map(|it| self.config.get(it)).find(|it| it.is_object());
        nested.map_or_else(|| Config::from_fields([]), Config::new)
    }
}

/// All words of a name that lead into a tower: of two that are nested, each inner one is a tower of its own.
fn word(name: &str) -> Option<String> {
    match component(name) {
        Component::Tower(first) => {
            let prefix = &name[..tower_prefix(name)];
            Some(prefix[prefix.find(&first).unwrap_or(0)..].trim_end_matches('.').to_owned())
        }
        Component::Language | Component::Prediction => None,
    }
}

/// Every layer and expert that a template stands for.
fn each(template: &Template) -> impl Iterator<Item = (Option<u32>, Option<u32>)> + use<> {
    let experts = indices(&template.experts);
    indices(&template.layers).into_iter().flat_map(move |layer| experts.clone().into_iter().map(move |it| (layer, it)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn blueprint() -> Blueprint {
        let config = json!({"hidden_size": 64, "vision_config": {"hidden_size": 32, "num_heads": 4}});
        let tensors: Vec<(String, Vec<u64>)> = (0..4)
            .flat_map(|layer| {
                [
                    (format!("model.language_model.layers.{layer}.mlp.up_proj.weight"), vec![128, 64]),
                    (format!("model.language_model.layers.{layer}.mlp.down_proj.weight"), vec![64, 128]),
                    (
                        format!("model.vision_tower.vision_model.encoder.layers.{layer}.self_attn.q_proj.weight"),
                        vec![32, 32],
                    ),
                    (format!("model.vision_tower.vision_model.encoder.layers.{layer}.mlp.fc1.weight"), vec![96, 32]),
                    (format!("model.vision_tower.vision_model.encoder.layers.{layer}.mlp.fc2.weight"), vec![32, 96]),
                ]
            })
            .chain([("model.multi_modal_projector.linear_1.weight".to_owned(), vec![64, 32])])
            .collect();
        Blueprint::from_tensors(tensors.iter().map(|it| (it.0.as_str(), "BF16", it.1.as_slice())), Config::new(&config))
    }

    #[test]
    fn a_tower_is_a_model_of_its_own() {
        let towers = blueprint().towers();
        assert_eq!(towers.iter().map(|it| it.word.as_str()).collect::<Vec<_>>(), ["vision_tower.vision_model"]);
        let tower = &towers[0];
        assert_eq!((tower.blueprint.dimension("hidden"), tower.blueprint.dimension("heads")), (Some(32), Some(4)));
        let roles: BTreeSet<String> = tower.blueprint.placed().into_iter().flat_map(|it| it.roles).collect();
        assert_eq!(roles.into_iter().collect::<Vec<_>>(), ["attention.query", "ffn.down", "ffn.up"]);
        assert_eq!(
            tower.names.get("encoder.layers.1.mlp.fc1.weight").map(String::as_str),
            Some("model.vision_tower.vision_model.encoder.layers.1.mlp.fc1.weight")
        );
    }

    /// A tower inside another has names that are the other's once what stands before them is cut, and is a tower of its
    /// own.
    #[test]
    fn nested_towers_are_not_mixed() {
        let tensors: Vec<(String, Vec<u64>)> = (0..4)
            .flat_map(|layer| {
                let within =
                    |tower: &str, part: &str| format!("model.{tower}.encoder.layers.{layer}.mlp.{part}.weight");
                [
                    (within("vision_tower", "fc1"), vec![96, 32]),
                    (within("vision_tower", "fc2"), vec![32, 96]),
                    (within("vision_tower.aligner", "fc1"), vec![48, 16]),
                    (within("vision_tower.aligner", "fc2"), vec![16, 48]),
                ]
            })
            .collect();
        let tensors = tensors.iter().map(|it| (it.0.as_str(), "F32", it.1.as_slice()));
        let towers = Blueprint::from_tensors(tensors, Config::from_fields([])).towers();
        let told: Vec<_> =
            towers.iter().map(|it| (it.word.as_str(), it.blueprint.dimension("hidden"), it.names.len())).collect();
        assert_eq!(told, [("vision_tower", Some(32), 8), ("vision_tower.aligner", Some(16), 8)]);
    }

    #[test]
    fn what_has_no_layers_is_no_tower() {
        let tensors =
            [("model.layers.0.mlp.up_proj.weight", "F32", &[8, 4][..]), ("projector.weight", "F32", &[4, 4][..])];
        assert_eq!(Blueprint::from_tensors(tensors, Config::from_fields([])).towers(), []);
    }
}
