use mains_distill::features::*;
use mains_distill::heads::ngram::*;
mod common;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let get = |k: &str, d: f32| a.iter().find_map(|x| x.strip_prefix(k)).map_or(d, |x| x.parse().unwrap());
    let (tasks, _) = common::tasks();
    for t in tasks {
        let begin = std::time::Instant::now();
        let rows = Rows::of(t.train.iter().map(|(x, _)| x.as_str()));
        let labels: Vec<u32> = t.train.iter().map(|x| x.1).collect();
        let fe = begin.elapsed();
        let mut chance = mains_units::Chance::from_seed(9);
        let dev: Vec<bool> = labels.iter().map(|_| chance.hits(0.2)).collect();
        let fit: Vec<usize> = (0..labels.len()).filter(|i| !dev[*i]).collect();
        let s = Settings { cost: get("c=", 1.0), rows_min: get("min=", 1.0) as u32, epsilon: get("eps=", 0.1),
            loss: if get("lr=", 0.) > 0. { Loss::Logistic } else { Loss::SquaredHinge }, ..Default::default() };
        let begin = std::time::Instant::now();
        let p = Problem::new(&rows, &labels, t.classes, &fit, s).unwrap();
        let seps: Vec<Separator> = (0..p.pieces()).map(|k| p.solve(k)).collect();
        let tr = begin.elapsed();
        let (mut ok, mut n, mut w) = (0, 0, vec![]);
        for i in (0..labels.len()).filter(|i| dev[*i]) {
            let (b, v) = rows.row(i);
            p.terms().weigh(b.iter().copied().zip(v.iter().copied()), &mut w);
            let best = if seps.len() == 1 { usize::from(seps[0].score(&w) > 0.) } else {
                (0..seps.len()).map(|k| (seps[k].score(&w), k)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1 };
            n += 1; ok += usize::from(best == labels[i] as usize);
        }
        println!("{:10} terms {:6} nnz/row {:4} feat {:.2?} train {:.2?} dev {:.2} of {n}", t.name, p.terms().len(), (0..rows.len()).map(|i| rows.row(i).0.len()).sum::<usize>()/rows.len(), fe, tr, 100.*ok as f64/n as f64);
    }
}
