//! Templates of HTML and SVG: loaded once, autoescaped, filled with a view.

use tera::{Context, Tera};

use crate::report::chart::Drawing;
use crate::report::{Error, View};
use crate::shelf;

/// The loaded templates.
pub struct Drawings {
    engine: Tera,
}

impl Drawings {
    /// Loads the templates that ship inside the program.
    ///
    /// # Errors
    /// A template that does not parse.
    pub fn load() -> Result<Self, Error> {
        let mut engine = Tera::default();
        engine.autoescape_on(vec![".html", ".svg"]);
        let templates = shelf::below(shelf::TEMPLATES, "memo")
            .filter(|(name, _)| name.ends_with(".html") || name.ends_with(".svg") || name.ends_with(".css"))
            .filter_map(|(name, bytes)| Some((name, std::str::from_utf8(bytes).ok()?)));
        engine.add_raw_templates(templates).map_err(|error| broken("memo", &error))?;
        Ok(Self { engine })
    }

    /// A chart as SVG.
    ///
    /// # Errors
    /// A template that names what a drawing does not have.
    pub(in crate::report) fn draw(&self, drawing: &Drawing) -> Result<String, Error> {
        self.render("chart.svg", drawing)
    }

    /// A memo as one HTML file.
    ///
    /// # Errors
    /// A template that names what a view does not have.
    pub fn html(&self, view: &View) -> Result<String, Error> {
        self.render("memo.html", view)
    }

    fn render(&self, name: &str, data: &impl serde::Serialize) -> Result<String, Error> {
        let mut context = Context::new();
        context.insert("it", data);
        self.engine.render(name, &context).map_err(|error| broken(name, &error))
    }
}

fn broken(name: &str, error: &tera::Error) -> Error {
    Error::Template { name: name.to_owned(), reason: error.to_string() }
}
