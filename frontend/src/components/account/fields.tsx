import type { ComponentProps } from "react";

import { Field, Input } from "@/components/ui/field";

const PASSWORD = { minLength: 8, maxLength: 128 }; // Better Auth's own bounds

type Props = Omit<ComponentProps<typeof Input>, "name"> & { name: string; label: string; hint?: string };

export function TextField({ label, hint, ...props }: Props) {
  return (
    <Field label={label} {...(hint && { hint })}>
      {(control) => <Input required {...control} {...props} />}
    </Field>
  );
}

export function NewPasswordField({ name, label }: { name: string; label: string }) {
  return (
    <TextField
      name={name}
      label={label}
      type="password"
      autoComplete="new-password"
      hint="At least 8 characters."
      {...PASSWORD}
    />
  );
}

export function PasswordField({ name, label }: { name: string; label: string }) {
  return <TextField name={name} label={label} type="password" autoComplete="current-password" />;
}
