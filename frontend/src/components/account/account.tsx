"use client";

import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { toast } from "sonner";

import { NewPasswordField, PasswordField, TextField } from "@/components/account/fields";
import { Form } from "@/components/account/form";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { useHydrated } from "@/hooks/hydrated";
import { useSameUser } from "@/hooks/same-user";
import { authClient } from "@/lib/auth-client";
import { goToSignIn } from "@/lib/navigation";

const NARROW = "[&>button]:justify-self-start";

export function Account({ id, name, email }: { id: string; name: string; email: string }) {
  const router = useRouter();
  useSameUser(id); // these forms act on whoever is signed in
  return (
    <>
      <Section title="Name" description={`You sign in as ${email}.`}>
        <Form
          className={NARROW}
          submit="Save name"
          onSubmit={({ name = "" }) => authClient.updateUser({ name })}
          onDone={() => {
            toast.success("Name changed.");
            router.refresh();
          }}
        >
          <TextField name="name" label="Name" defaultValue={name} autoComplete="name" maxLength={100} />
        </Form>
      </Section>
      <Section title="Password" description="Changing it signs out your other devices.">
        <Form
          className={NARROW}
          submit="Change password"
          onSubmit={({ currentPassword = "", newPassword = "" }) =>
            authClient.changePassword({ currentPassword, newPassword, revokeOtherSessions: true })
          }
          onDone={(form) => {
            toast.success("Password changed.");
            form.reset();
          }}
        >
          {/* Tells password managers whose password this is. */}
          <input hidden readOnly name="email" value={email} autoComplete="username" />
          <PasswordField name="currentPassword" label="Current password" />
          <NewPasswordField name="newPassword" label="New password" />
        </Form>
      </Section>
      <DeleteAccount />
    </>
  );
}

function DeleteAccount() {
  const hydrated = useHydrated();
  const [open, setOpen] = useState(false);
  return (
    <Section title="Delete account" description="Deletes your account and all your tasks permanently.">
      <Button variant="danger" disabled={!hydrated} onClick={() => setOpen(true)}>
        Delete account…
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Delete your account?"
        description="Your account and all your tasks will be deleted immediately. This can’t be undone."
      >
        <Form
          danger
          submit="Delete account and tasks"
          onSubmit={({ password = "" }) => authClient.deleteUser({ password })}
          onDone={() => goToSignIn("deleted")}
        >
          <PasswordField name="password" label="Confirm with your password" />
        </Form>
      </Dialog>
    </Section>
  );
}

function Section({ title, description, children }: { title: string; description: string; children: ReactNode }) {
  return (
    <section className="rounded-2xl border bg-surface p-6">
      <h2 className="font-semibold">{title}</h2>
      <p className="mt-1 mb-4 text-muted text-sm">{description}</p>
      {children}
    </section>
  );
}
