/* What volumes, the claims to them and templates of claims share. */
#pragma once

#include "api/field_error.h"

/* Defaults of a PersistentVolumeClaim. */
void claim_default(struct json_object *claim);
/* A new claim or volume gets FINALIZER, which a controller takes away when nothing uses it. */
void claim_protect(struct json_object *obj, const char *finalizer);
/* spec.accessModes: known ones, and ReadWriteOncePod alone. */
void claim_validate_access_modes(const struct json_object *spec, struct field_path *path,
				 struct field_errors *errors);
/* spec.storageClassName, volumeAttributesClassName, volumeMode. */
void claim_validate_classes(const struct json_object *spec, struct field_path *path,
			    struct field_errors *errors);
/* "RWO,ROX" */
void cell_access_modes(struct json_object *cells, const struct json_object *modes);
/* The class of a volume or claim: an old annotation goes before spec.storageClassName. */
void cell_storage_class(struct json_object *cells, const struct json_object *obj);
/* The phase; "Terminating" while it is being deleted. */
void cell_phase(struct json_object *cells, const struct json_object *obj);
