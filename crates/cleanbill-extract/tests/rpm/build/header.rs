//! Writes a package's header.

/// What a tag can hold.
#[derive(Clone)]
pub enum Value {
    Text(String),
    Texts(Vec<String>),
    Number(u32),
    Numbers(Vec<u32>),
    Bytes(Vec<u8>),
}

/// A header with these tags, in this order.
pub fn header(tags: &[(u32, Value)]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, value) in tags {
        let (kind, count, bytes) = match value {
            Value::Text(text) => (6u32, 1, [text.as_bytes(), b"\0"].concat()),
            Value::Texts(texts) => (
                8,
                texts.len(),
                texts.iter().flat_map(|t| [t.as_bytes(), b"\0"].concat()).collect(),
            ),
            Value::Number(number) => (4, 1, number.to_be_bytes().to_vec()),
            Value::Numbers(numbers) => {
                (4, numbers.len(), numbers.iter().flat_map(|n| n.to_be_bytes()).collect())
            }
            Value::Bytes(bytes) => (1, bytes.len(), bytes.clone()),
        };
        if kind == 4 {
            data.resize(data.len().next_multiple_of(4), 0);
        }
        let (offset, count) = (u32::try_from(data.len()).unwrap(), u32::try_from(count).unwrap());
        for number in [*tag, kind, offset, count] {
            index.extend(number.to_be_bytes());
        }
        data.extend(bytes);
    }
    let mut blob = Vec::new();
    for length in [index.len() / 16, data.len()] {
        blob.extend(u32::try_from(length).unwrap().to_be_bytes());
    }
    [blob, index, data].concat()
}
