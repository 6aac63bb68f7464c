//! Recorded answers as providers: the data sets of `shared/datasets`, graded and ruled on.

use mains_swap::grade::{Case, Grader, LabelRule, PatternRule, Said};
use mains_swap::sample::draw;
use mains_swap::stats::{Counts, Tally};
use mains_swap::verdict::moments;
use mains_swap::{Course, Ppm, Question, Ruling};
use mains_units::Chance;
use std::path::PathBuf;

/// The seed of every order below.
pub(crate) const SEED: u64 = 20_261_128;
/// 95 % confidence.
pub(crate) const ALPHA: Ppm = Ppm(50_000);

/// The folder of the data sets, if it is here.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/datasets");
    folder.is_dir().then_some(folder)
}

/// A table of one data set, by column name.
pub(crate) struct Sheet {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// Reads a file below the data sets, and puts its rows into a seeded order.
    pub(crate) fn read(file: &str) -> Result<Self, String> {
        let path = folder().ok_or("shared/datasets is missing")?.join(file);
        let mut reader = csv::Reader::from_path(&path).map_err(|error| error.to_string())?;
        let names = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_owned).collect();
        let rows: Result<Vec<Vec<String>>, _> =
            reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect())).collect();
        let rows = rows.map_err(|error| error.to_string())?;
        let order = draw(&vec![(); rows.len()], rows.len(), &mut Chance::from_seed(SEED));
        Ok(Self { names, rows: order.into_iter().map(|place| rows[place].clone()).collect() })
    }

    /// A column.
    pub(crate) fn column(&self, name: &str) -> Result<Vec<&str>, String> {
        let place = self.names.iter().position(|other| other == name).ok_or(format!("no column `{name}`"))?;
        Ok(self.rows.iter().map(|row| row[place].as_str()).collect())
    }
}

/// A test that went over all outcomes, and where it could have stopped.
#[derive(Debug, Clone)]
pub(crate) struct Tested {
    /// All outcomes.
    pub(crate) tally: Tally,
    /// The ruling after all of them.
    pub(crate) ruling: Ruling,
    /// After how many outcomes the verdict stood.
    pub(crate) stopped: Option<u64>,
    /// Items whose reference could not be graded against.
    pub(crate) left_out: u64,
}

/// Rules on outcomes in their order.
pub(crate) fn test(question: Question, places: &[Option<usize>]) -> Tested {
    let known: Vec<usize> = places.iter().copied().flatten().collect();
    let mut course = Course::new(question, ALPHA);
    let (mut tally, mut stopped) = (Tally::default(), None);
    let moments = moments(known.len() as u64);
    for (n, place) in known.iter().enumerate() {
        tally.add(*place);
        let n = n as u64 + 1;
        if moments.contains(&n) {
            let ruling = course.look(Counts::Graded(tally));
            if stopped.is_none() && ruling.verdict != mains_swap::Verdict::Undecided {
                stopped = Some(n);
            }
        }
    }
    let left_out = (places.len() - known.len()) as u64;
    Tested { tally, ruling: course.ruling(), stopped, left_out }
}

/// How often the new answers differ from the old ones.
pub(crate) fn agreement(grader: &Grader, old: &[&str], new: &[&str], points: i64) -> Tested {
    let place = |(old, new): (&&str, &&str)| {
        let grade = grader.grade(&Said::text(*old), &Said::text(*new)).ok()?;
        Some(Question::place_of_single(grade.same))
    };
    let places: Vec<_> = old.iter().zip(new).map(place).collect();
    test(Question::Agreement { most: Ppm::points(points) }, &places)
}

/// How much more often the old answers are true.
pub(crate) fn quality(grader: &Grader, gold: &[&str], old: &[&str], new: &[&str], points: i64) -> Tested {
    let passes = |gold: &str, answer: &str| {
        grader.grade(&Said::text(gold), &Said::text(answer)).ok().map(|grade| grade.same)
    };
    let place = |((gold, old), new): ((&&str, &&str), &&str)| {
        Some(Question::place_of_pair(passes(gold, old)?, passes(gold, new)?))
    };
    let places: Vec<_> = gold.iter().zip(old).zip(new).map(place).collect();
    test(Question::Quality { margin: Ppm::points(points) }, &places)
}

/// Yes or no, in any case, and nothing else.
pub(crate) fn yes_or_no() -> LabelRule {
    LabelRule { case: Case::Ignored, labels: vec!["yes".into(), "no".into()] }
}

/// The answer of the prime prompts, which ask for "[Yes]" or "[No]" after thinking: the last bracketed word, else the
/// word with which the answer begins.
pub(crate) fn prime() -> Result<Grader, String> {
    let pattern =
        regex::Regex::new(r"(?i)\[(yes|no)\]|\A\W*(yes|no)\b").map_err(|error| error.to_string())?;
    Ok(Grader::Pattern(PatternRule::Extract(pattern, yes_or_no())))
}

/// The models of OVERRULING but for GPT-4.
pub(crate) const OVERRULING: [&str; 11] = [
    "text-davinci-002",
    "gpt-3.5-turbo",
    "xlarge",
    "j1-jumbo",
    "j1-large",
    "gptneox_20B",
    "text-curie-001",
    "j1-grande",
    "fairseq_gpt_13B",
    "medium",
    "gptj_6B",
];

/// One model in place of GPT-4.
pub(crate) struct Replaced {
    /// The model.
    pub(crate) model: &'static str,
    /// By agreement, at 2 and 5 points.
    pub(crate) agreement: [Tested; 2],
    /// By the true answers, at 2 and 5 points.
    pub(crate) gold: [Tested; 2],
    /// Money saved, in per cent of GPT-4's.
    pub(crate) saved: f64,
}

/// GPT-4 replaced by each of the others.
pub(crate) fn overruling() -> Result<Vec<Replaced>, String> {
    let sheet = Sheet::read("overruling_12llm/dev_half.csv")?;
    let grader = Grader::Label(yes_or_no());
    let (gold, old) = (sheet.column("ref_answer")?, sheet.column("gpt-4_answer")?);
    let cost = |model: &str| -> Result<f64, String> {
        let costs = sheet.column(&format!("{model}_cost"))?;
        costs.iter().map(|cost| cost.parse::<f64>().map_err(|error| error.to_string())).sum()
    };
    let dear = cost("gpt-4")?;
    OVERRULING
        .into_iter()
        .map(|model| {
            let new = sheet.column(&format!("{model}_answer"))?;
            Ok(Replaced {
                model,
                agreement: [2, 5].map(|points| agreement(&grader, &old, &new, points)),
                gold: [2, 5].map(|points| quality(&grader, &gold, &old, &new, points)),
                saved: 100.0 * (1.0 - cost(model)? / dear),
            })
        })
        .collect()
}

/// MMLU, GPT-4 replaced by Mixtral, by recorded correctness, at 2 and 5 points.
pub(crate) fn mmlu() -> Result<[Tested; 2], String> {
    let sheet = Sheet::read("routellm_mmlu/dev_60pct.csv")?;
    let right = |name| -> Result<Vec<bool>, String> {
        Ok(sheet.column(name)?.into_iter().map(|text| text == "True").collect())
    };
    let (old, new) = (right("gpt-4-1106-preview")?, right("mistralai/Mixtral-8x7B-Instruct-v0.1")?);
    let places: Vec<_> =
        old.iter().zip(&new).map(|(old, new)| Some(Question::place_of_pair(*old, *new))).collect();
    Ok([2, 5].map(|points| test(Question::Quality { margin: Ppm::points(points) }, &places)))
}

/// GPT-4 of March 2023 replaced by that of June, at 5 points: by agreement, and by the truth.
pub(crate) fn primes() -> Result<[Tested; 2], String> {
    let sheet = Sheet::read("llmdrift/prime.csv")?;
    let (models, ids) = (sheet.column("model")?, sheet.column("id")?);
    let (answers, truths) = (sheet.column("answer")?, sheet.column("ref_answer")?);
    let find = |model: &str, id: &str| (0..ids.len()).find(|row| models[*row] == model && ids[*row] == id);
    let (mut old, mut new, mut truth) = (Vec::new(), Vec::new(), Vec::new());
    for row in (0..ids.len()).filter(|row| models[*row] == "openaichat/gpt-4-0314") {
        let other = find("openaichat/gpt-4-0613", ids[row]).ok_or("an answer is missing")?;
        old.push(answers[row]);
        new.push(answers[other]);
        // The truth is compared by the same rule.
        truth.push(format!("[{}]", truths[row]));
    }
    let truth: Vec<&str> = truth.iter().map(String::as_str).collect();
    let grader = prime()?;
    Ok([agreement(&grader, &old, &new, 5), quality(&grader, &truth, &old, &new, 5)])
}

/// The systems whose logs are parsed.
pub(crate) const LOGS: [&str; 4] = ["Apache", "HDFS", "Linux", "OpenSSH"];
/// The models that parsed them.
pub(crate) const PARSERS: [&str; 8] = [
    "Nous_Mixtral_template",
    "Nous_llama7b_template",
    "Nous_llama13b_template",
    "Nous_llama70b_template",
    "Yi_34B_template",
    "Yi_6B_template",
    "j2_mid_template",
    "j2_ultra_template",
];

/// One parser in place of another.
pub(crate) struct Parsed {
    /// Whose logs.
    pub(crate) system: &'static str,
    /// The recorded model.
    pub(crate) old: &'static str,
    /// The candidate.
    pub(crate) new: &'static str,
    /// By exact agreement at 5 points.
    pub(crate) agreement: Tested,
    /// By the true templates at 5 points.
    pub(crate) gold: Tested,
}

/// Every parser in place of every other: 4 x 8 x 7 tests.
pub(crate) fn logs() -> Result<Vec<Parsed>, String> {
    let grader = Grader::Label(LabelRule::default());
    let mut all = Vec::new();
    for system in LOGS {
        let sheet = Sheet::read(&format!("log_parsing_8llm/{system}.csv"))?;
        let gold = sheet.column("EventTemplate")?;
        for old in PARSERS {
            for new in PARSERS.into_iter().filter(|new| *new != old) {
                let (olds, news) = (sheet.column(old)?, sheet.column(new)?);
                all.push(Parsed {
                    system,
                    old,
                    new,
                    agreement: agreement(&grader, &olds, &news, 5),
                    gold: quality(&grader, &gold, &olds, &news, 5),
                });
            }
        }
    }
    Ok(all)
}
