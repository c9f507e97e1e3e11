//! Devices and times as the text that commands write.

/// A device as its address.
pub(crate) mod device {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use thingprint_flow::DeviceId;

    pub(crate) fn serialize<S: Serializer>(device: &DeviceId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(device)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<DeviceId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A device as its address, or null.
pub(crate) mod some_device {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use thingprint_flow::DeviceId;

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(device: &Option<DeviceId>, to: S) -> Result<S::Ok, S::Error> {
        match device {
            Some(device) => to.collect_str(device),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DeviceId>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}

/// A time as RFC 3339 in UTC.
pub(crate) mod time {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use thingprint_flow::Timestamp;
    use thingprint_table::rfc3339;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&rfc3339::format(*time))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        rfc3339::parse(&text).ok_or_else(|| D::Error::custom(format_args!("'{text}' is not a time")))
    }
}

/// A time as RFC 3339 in UTC, or null.
pub(crate) mod some_time {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use thingprint_flow::Timestamp;
    use thingprint_table::rfc3339;

    #[expect(clippy::ref_option, reason = "serde gives a reference to the field")]
    pub(crate) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.serialize_str(&rfc3339::format(*time)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        let time = rfc3339::parse(&text);
        time.map(Some).ok_or_else(|| D::Error::custom(format_args!("'{text}' is not a time")))
    }
}
