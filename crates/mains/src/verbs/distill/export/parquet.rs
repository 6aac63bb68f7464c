//! Rows as a Parquet file: one row group, plain pages, no compression.

use super::{Line, name};
use crate::print::Trouble;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

const SCHEMA: &str = "message rows {
    REQUIRED BYTE_ARRAY row (UTF8);
    REQUIRED BYTE_ARRAY text (UTF8);
    REQUIRED BYTE_ARRAY label (UTF8);
    REQUIRED INT32 class;
    REQUIRED INT64 at (TIMESTAMP_MILLIS);
    REQUIRED BYTE_ARRAY teacher (UTF8);
    OPTIONAL INT64 nano_usd;
    OPTIONAL INT64 mj;
    OPTIONAL INT64 ms;
    OPTIONAL BYTE_ARRAY part (UTF8);
}";

type Group<'g> = SerializedRowGroupWriter<'g, Vec<u8>>;

/// The file.
pub(super) fn bytes(lines: &[Line]) -> Result<Vec<u8>, Trouble> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(WriterProperties::new()))?;
    let mut group = writer.next_row_group()?;
    let text = |read: &dyn Fn(&Line) -> &str| -> Vec<ByteArray> {
        lines.iter().map(|line| ByteArray::from(read(line).as_bytes().to_vec())).collect()
    };
    required::<ByteArrayType>(&mut group, &text(&|line| &line.row))?;
    required::<ByteArrayType>(&mut group, &text(&|line| &line.text))?;
    required::<ByteArrayType>(&mut group, &text(&|line| &line.label))?;
    let classes = lines.iter().map(|line| i32::try_from(line.class));
    required::<Int32Type>(&mut group, &classes.collect::<Result<Vec<i32>, _>>()?)?;
    required::<Int64Type>(&mut group, &lines.iter().map(|line| line.at_ms).collect::<Vec<i64>>())?;
    required::<ByteArrayType>(&mut group, &text(&|line| &line.teacher))?;
    for read in [|line: &Line| line.nano_usd, |line: &Line| line.mj, |line: &Line| line.ms] {
        let values = lines.iter().map(|line| read(line).map(i64::try_from).transpose());
        optional::<Int64Type>(&mut group, values.collect::<Result<Vec<Option<i64>>, _>>()?)?;
    }
    let parts = lines.iter().map(|line| line.part.map(|part| ByteArray::from(name(part))));
    optional::<ByteArrayType>(&mut group, parts.collect())?;
    group.close()?;
    Ok(writer.into_inner()?)
}

fn required<T: DataType>(group: &mut Group<'_>, values: &[T::T]) -> Result<(), Trouble> {
    column::<T>(group, values, None)
}

fn optional<T: DataType>(group: &mut Group<'_>, values: Vec<Option<T::T>>) -> Result<(), Trouble> {
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let known: Vec<T::T> = values.into_iter().flatten().collect();
    column::<T>(group, &known, Some(&levels))
}

fn column<T: DataType>(
    group: &mut Group<'_>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), Trouble> {
    let mut column =
        group.next_column()?.ok_or_else(|| Trouble::new("the Parquet schema has too few columns"))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    Ok(column.close()?)
}
