//! What the org says about its objects and fields.

use serde_json::{Value as Json, json};

use super::schema::{Field, Kind, Object, Schema};

/// An object as in the global describe.
pub fn brief(object: &Object, version: &str) -> Json {
    let base = format!("/services/data/{version}/sobjects/{}", object.name);
    json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": object.writable,
        "custom": object.custom(),
        "customSetting": false,
        "deepCloneable": false,
        "deletable": object.deletable,
        "deprecatedAndHidden": false,
        "feedEnabled": object.writable,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": object.prefix,
        "label": object.label,
        "labelPlural": object.plural,
        "layoutable": object.writable,
        "mergeable": matches!(object.name, "Account" | "Contact" | "Case"),
        "mruEnabled": object.writable,
        "name": object.name,
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": object.writable,
        "triggerable": object.writable,
        "undeletable": object.deletable,
        "updateable": object.writable,
        "urls": {
            "sobject": base,
            "describe": format!("{base}/describe"),
            "rowTemplate": format!("{base}/{{ID}}"),
        },
    })
}

/// An object with its fields and relationships.
pub fn full(schema: &Schema, object: &Object, version: &str) -> Json {
    let mut body = brief(object, version);
    body["fields"] = object
        .visible()
        .map(|(_, definition)| field(object, definition))
        .collect();
    body["childRelationships"] = object
        .children
        .iter()
        .map(|child| {
            let other = schema.object(child.object);
            json!({
                "cascadeDelete": matches!(other.fields[child.field].name, "AccountId" | "Account__c"),
                "childSObject": other.name,
                "deprecatedAndHidden": false,
                "field": other.fields[child.field].name,
                "junctionIdListNames": [],
                "junctionReferenceTo": [],
                "relationshipName": child.relation,
                "restrictedDelete": false,
            })
        })
        .collect();
    body["recordTypeInfos"] = json!([{
        "active": true,
        "available": true,
        "defaultRecordTypeMapping": true,
        "developerName": "Master",
        "master": true,
        "name": "Master",
        "recordTypeId": "012000000000000AAA",
        "urls": { "layout": format!("/services/data/{version}/sobjects/{}/describe/layouts/012000000000000AAA", object.name) },
    }]);
    body["namedLayoutInfos"] = json!([]);
    body["actionOverrides"] = json!([]);
    body["supportedScopes"] =
        json!([{ "label": format!("All {}", object.plural), "name": "everything" }]);
    body["compactLayoutable"] = object.writable.into();
    body["searchLayoutable"] = object.writable.into();
    body["listviewable"] = Json::Null;
    body["lookupLayoutable"] = Json::Null;
    body["networkScopeFieldName"] = Json::Null;
    body["defaultImplementation"] = Json::Null;
    body["extendedBy"] = Json::Null;
    body["extendsInterfaces"] = Json::Null;
    body["implementedBy"] = Json::Null;
    body["implementsInterfaces"] = Json::Null;
    body["sobjectDescribeOption"] = "FULL".into();
    body
}

fn field(object: &Object, field: &Field) -> Json {
    let textual = field.kind.textual() || matches!(field.kind, Kind::Id | Kind::Reference);
    let double = matches!(field.kind, Kind::Currency | Kind::Double | Kind::Percent);
    let picks: Vec<Json> = field
        .picks
        .iter()
        .map(|value| json!({ "active": true, "defaultValue": field.default == Some(value), "label": value, "validFor": null, "value": value }))
        .collect();
    let default = match (field.kind, field.default) {
        (Kind::Bool, _) => Json::Bool(false),
        (_, Some("@me") | None) => Json::Null,
        (_, Some(value)) => value.into(),
    };
    let mut body = json!({
        "aggregatable": field.kind.filterable() && field.kind != Kind::Bool,
        "aiPredictionField": false,
        "autoNumber": field.auto_number,
        "byteLength": if textual { field.length * if matches!(field.kind, Kind::Id | Kind::Reference) { 1 } else { 3 } } else { 0 },
        "calculated": field.calculated,
        "calculatedFormula": null,
        "cascadeDelete": false,
        "caseSensitive": false,
        "compoundFieldName": if object.name == "Contact" && matches!(field.name, "FirstName" | "LastName" | "Salutation") { json!("Name") } else { Json::Null },
        "controllerName": null,
        "createable": field.create,
        "custom": field.custom(),
        "defaultValue": default,
        "defaultValueFormula": null,
        "defaultedOnCreate": field.default.is_some() || field.kind == Kind::Bool || field.name == "OwnerId" || !field.create && !field.nillable,
        "dependentPicklist": false,
        "deprecatedAndHidden": false,
        "digits": if field.kind == Kind::Int { field.length } else { 0 },
        "displayLocationInDecimal": false,
        "encrypted": false,
        "externalId": field.external,
        "extraTypeInfo": if field.kind == Kind::LongText { json!("plaintextarea") } else { Json::Null },
        "filterable": field.kind.filterable(),
        "filteredLookupInfo": null,
        "formulaTreatNullNumberAsZero": false,
        "groupable": field.kind.groupable(),
        "highScaleNumber": false,
        "htmlFormatted": false,
        "idLookup": field.kind == Kind::Id || field.external,
        "inlineHelpText": null,
    });
    let rest = json!({
        "label": field.label,
        "length": if textual { field.length } else { 0 },
        "mask": null,
        "maskType": null,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": field.refs.len() > 1,
        "nillable": field.nillable,
        "permissionable": field.create && field.nillable,
        "picklistValues": picks,
        "polymorphicForeignKey": field.refs.len() > 1,
        "precision": if double { field.length } else { 0 },
        "queryByDistance": false,
        "referenceTargetField": null,
        "referenceTo": field.refs,
        "relationshipName": field.relation,
        "relationshipOrder": null,
        "restrictedDelete": false,
        "restrictedPicklist": field.restricted,
        "scale": if double { field.scale } else { 0 },
        "searchPrefilterable": matches!(field.kind, Kind::Reference | Kind::Picklist),
        "soapType": field.kind.soap(),
        "sortable": field.kind.filterable() && field.kind != Kind::MultiPicklist,
        "type": field.kind.name(),
        "unique": field.unique,
        "updateable": field.update,
        "writeRequiresMasterRead": false,
    });
    if let (Some(body), Json::Object(rest)) = (body.as_object_mut(), rest) {
        body.extend(rest);
    }
    body
}
