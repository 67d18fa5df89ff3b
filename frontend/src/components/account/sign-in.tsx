"use client";

import { PasswordField, TextField } from "@/components/account/fields";
import { Form } from "@/components/account/form";
import { authClient } from "@/lib/auth-client";
import { goToTasks } from "@/lib/navigation";

export function SignIn() {
  return (
    <Form
      submit="Sign in"
      onSubmit={({ email = "", password = "" }) => authClient.signIn.email({ email, password })}
      onDone={goToTasks}
    >
      <TextField name="email" label="Email" type="email" autoComplete="username" />
      <PasswordField name="password" label="Password" />
    </Form>
  );
}
