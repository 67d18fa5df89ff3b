import type { ComponentProps } from "react";

import { Field, Input } from "@/components/ui/field";

type Props = Omit<ComponentProps<typeof Input>, "name"> & { name: string; label: string; hint?: string };

export function TextField({ label, hint, ...props }: Props) {
  return (
    <Field label={label} {...(hint && { hint })}>
      {(control) => <Input required {...control} {...props} />}
    </Field>
  );
}

/** Better Auth enforces the maximum length. A `maxLength` would truncate a pasted password without a sign. */
export function NewPasswordField({ name, label }: { name: string; label: string }) {
  return (
    <TextField
      name={name}
      label={label}
      type="password"
      autoComplete="new-password"
      hint="At least 8 characters."
      minLength={8}
    />
  );
}

export function PasswordField({ name, label }: { name: string; label: string }) {
  return <TextField name={name} label={label} type="password" autoComplete="current-password" />;
}
