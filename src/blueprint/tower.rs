//! A tower beside the language model, such as a vision encoder, or another list of layers, as a model of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::blueprint::normalise::{PREDICTION, PREDICTION_MODULES, component, tower_prefix};
use crate::blueprint::part::{Component, Part};
use crate::blueprint::placed::{indices, placed_name};
use crate::blueprint::quantisation::Stored;
use crate::blueprint::stacks::Stack;
use crate::blueprint::template::ranges;
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
    /// What kind it is.
    pub kind: Kind,
}

/// What kind of model is beside the language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An encoder or a bridge, by a known word.
    Encoder,
    /// A list of layers as a language model has them: a talker, a draft model, second experts.
    Stack,
    /// A list of layers that may be the language model as well.
    Rival,
}

/// Words of towers that are built and trained as language models are.
const TALKERS: &[&str] = &["talker"];

impl Blueprint {
    /// The towers that have layers, by their words, and the lists of layers beside the language model's.
    pub fn towers(&self) -> Vec<Tower> {
        let words: BTreeSet<String> =
            self.templates.iter().filter(|it| !it.layers.is_empty()).filter_map(|it| word(&it.name)).collect();
        let towers = words.into_iter().map(|word| self.tower(word));
        let stacks = self.stacks.beside.iter().map(|it| self.stack(it));
        towers.chain(stacks).chain(self.draft()).collect()
    }

    /// The layers that predict further tokens, without what joins them to the language model; `None` if there are
    /// none.
    fn draft(&self) -> Option<Tower> {
        let predicting: Vec<&Part> = self.parts.iter().filter(|it| it.component == Component::Prediction).collect();
        let mut gathered = Gathered::default();
        for (it, stored) in self.templates.iter().zip(&self.stored) {
            let plain = if let Stored::Packed(plain, _) = stored { &plain.name } else { &it.name };
            let of_name = predicting.iter().filter(|part| part.name == *plain).flat_map(|part| &part.variants);
            let inside: BTreeSet<u32> = of_name.flat_map(|it| it.layers.iter().cloned().flatten()).collect();
            let layers = it.layers.iter().cloned().flatten().filter(|it| inside.contains(it)).collect();
            let joins = it.name.split('.').any(|word| PREDICTION_MODULES.contains(&word));
            if !inside.is_empty() && !joins {
                gathered.take(&Template { layers: ranges(&layers), ..it.clone() }, stored, draft_name);
            }
        }
        let config = self.config.clone();
        let is_there = !gathered.templates.is_empty();
        is_there.then(|| Tower {
            blueprint: Self::from_templates(gathered.templates, config),
            word: "prediction layers".to_owned(),
            names: gathered.names,
            kind: Kind::Stack,
        })
    }

    /// What the language model's own list of layers is called, where there are others.
    pub fn main_list(&self) -> Option<&str> {
        self.stacks.main.as_deref()
    }

    /// A list of layers as a model of its own. One that may be the language model has what surrounds that as well.
    fn stack(&self, stack: &Stack) -> Tower {
        let mut gathered = Gathered::default();
        let ends =
            |name: &str| stack.is_rival && self.stacks.of(name).is_none() && component(name) == Component::Language;
        for (it, stored) in self.templates.iter().zip(&self.stored) {
            if self.stacks.of(&it.name).is_some_and(|own| own.word == stack.word) {
                gathered.take(it, stored, |name| stack.own_name(name));
            } else if it.layers.is_empty() && ends(&it.name) {
                gathered.take(it, stored, str::to_owned);
            }
        }
        let kind = if stack.is_rival { Kind::Rival } else { Kind::Stack };
        let blueprint = Self::from_templates(gathered.templates, self.stack_config(stack));
        Tower { blueprint, word: stack.word.clone(), names: gathered.names, kind }
    }

    /// The configuration of a list: its own where there is one by its words, else the model's where both are of one
    /// width, for heads may then be as wide.
    fn stack_config(&self, stack: &Stack) -> Config {
        let words = stack.word.split(['.', '/', '_']).filter(|it| !it.is_empty());
        let own = words.filter_map(|it| self.config.get(&format!("{it}_config"))).find(|it| it.is_object());
        own.map_or_else(|| self.config.clone(), Config::new)
    }

    fn tower(&self, word_of_it: String) -> Tower {
        let mut gathered = Gathered::default();
        for (it, stored) in self.templates.iter().zip(&self.stored) {
            if word(&it.name).as_ref() == Some(&word_of_it) {
                gathered.take(it, stored, |name| name[tower_prefix(name)..].to_owned());
            }
        }
        let config = self.tower_config(&word_of_it);
        let is_talker = word_of_it.split('.').any(|it| TALKERS.contains(&it));
        let kind = if is_talker { Kind::Stack } else { Kind::Encoder };
        Tower {
            blueprint: Self::from_templates(gathered.templates, config),
            word: word_of_it,
            names: gathered.names,
            kind,
        }
    }

    fn tower_config(&self, word: &str) -> Config {
        let fields = CONFIGS.iter().filter(|it| it.0.iter().any(|part| word.contains(part))).flat_map(|it| it.1);
        let nested = fields.filter_map(|it| self.config.get(it)).find(|it| it.is_object());
        nested.map_or_else(|| Config::from_fields([]), Config::new)
    }
}

/// The templates of one tower under the names of a model by itself, and what each tensor is called in the files.
#[derive(Default)]
struct Gathered {
    names: BTreeMap<String, String>,
    templates: Vec<Template>,
}

impl Gathered {
    /// Takes a template in. Of names that differ in what is before the tower alone, the first.
    fn take(&mut self, it: &Template, stored: &Stored, own_name: impl Fn(&str) -> String) {
        let plain = if let Stored::Packed(plain, _) = stored { Some(plain.name.as_str()) } else { None };
        let of_it: BTreeMap<String, String> = std::iter::once(it.name.as_str())
            .chain(plain)
            .flat_map(|name| {
                let own = own_name(name);
                each(it)
                    .map(move |(layer, expert)| (placed_name(&own, layer, expert), placed_name(name, layer, expert)))
            })
            .collect();
        if of_it.keys().all(|it| !self.names.contains_key(it)) {
            self.names.extend(of_it);
            self.templates.push(Template { name: own_name(&it.name), ..it.clone() });
        }
    }
}

/// A name without the word for layers that predict further tokens.
fn draft_name(name: &str) -> String {
    let words = name.split('.').filter_map(|it| match it {
        "mtp_layers" | "mtp_block" => Some("layers"),
        it if PREDICTION.contains(&it) => None,
        it => Some(it),
    });
    words.collect::<Vec<_>>().join(".")
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
